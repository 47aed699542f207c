"""The memory that rendering takes, measured on one pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import tree

from tfsr.backend import on_accelerator
from tfsr.geometry import grid_plan
from tfsr.rendering.maps import project
from tfsr.rendering.samplers import broadcastable

# Queries decoded together. A processor's caches like few; an accelerator needs many to be busy.
_QUERIES_ON_PROCESSOR = 8192
# Layers this narrow take less time than TensorFlow needs to start them: 65,536 queries at a time
# halve the time of LM-LTE, whose layers are 16 wide.
_NARROW, _NARROW_QUERIES_ON_PROCESSOR = 32, 2**16
_QUERIES_ON_ACCELERATOR = 2**18


@dataclass(frozen=True)
class MemoryCost:
    """Bytes that rendering with a model takes.

    Attributes:
        lr_pixel: per LR pixel: the encoder's peak, then latent and maps with repeated edges.
        modulation: per query, of the decoder's modulation.
        query: per query while it is decoded.
    """

    lr_pixel: int
    modulation: int
    query: int


def memory_cost(model: Any) -> MemoryCost:
    """Measure the memory cost of an `ImplicitSR` on an image of one pixel."""
    decoder = model.decoder
    latent = model.encode(np.zeros((1, 1, 1, 3), np.float32))
    one = grid_plan((1, 1), (1, 1), neighbour_mode=decoder.neighbour_mode)
    projected, _ = project(decoder, latent, one)
    maps = _bytes(latent) + _bytes(projected)
    if decoder.has_cell_projection:
        maps += _bytes(project(decoder, latent)[0])
    modulation = _bytes(decoder.modulation(*broadcastable(one.rows, one.columns)))
    # Gathered features, and at most six values alive at once between the layers.
    query = _bytes(projected) + modulation + 6 * 4 * decoder.query_width
    return MemoryCost(4 * model.encoder.peak_channels + 2 * maps, modulation, query)


def query_budget(decoder: Any, cost: MemoryCost, memory: int) -> int:
    """The number of queries to decode together in `memory` bytes."""
    maximum = _QUERIES_ON_PROCESSOR
    if on_accelerator():
        maximum = _QUERIES_ON_ACCELERATOR
    elif decoder.query_width <= _NARROW:
        maximum = _NARROW_QUERIES_ON_PROCESSOR
    return max(1, min(maximum, memory // cost.query))


def _bytes(tensors: Any) -> int:
    """Bytes of nested tensors; None has none."""
    return sum(
        math.prod(x.shape) * (2 if "16" in keras.backend.standardize_dtype(x.dtype) else 4)
        for x in tree.flatten(tensors)
        if x is not None
    )
