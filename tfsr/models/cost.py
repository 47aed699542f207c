"""Multiply-adds, counted from a model's own weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfsr.decoders import Decoder, MetaSR
from tfsr.models.implicit_sr import ImplicitSR


@dataclass(frozen=True)
class MultiplyAdds:
    """Multiply-adds of one picture; biases and the functions between layers are left out.

    Attributes:
        encoder: of the encoder, folded.
        published: of the decoder as its authors run it: every layer for every query, and for every
            neighbour of it.
        here: of the decoder as it runs here: what depends on the LR pixel or on the query alone is
            done once for each, and what depends on a row or a column once for that.
    """

    encoder: int
    published: int
    here: int


def multiply_adds(model: ImplicitSR, lr_size: Sequence[int], size: Sequence[int]) -> MultiplyAdds:
    """Count the multiply-adds of upscaling an (h, w) picture to (H, W)."""
    lr_pixels, queries = lr_size[0] * lr_size[1], size[0] * size[1]
    decoder: Decoder = model.decoder
    neighbours = queries * (4 if decoder.local_ensemble else 1)
    published = here = 0
    for path, matrix in _matrices(decoder):
        if "/projection" in path:  # Published as a layer on unfolded features.
            published += matrix * neighbours
            here += matrix * lr_pixels
        elif path.endswith("row_kernel"):
            published += matrix * neighbours
            here += matrix * size[0]
        elif path.endswith("column_kernel"):
            published += matrix * neighbours
            here += matrix * size[1]
        elif "/coordinate_" in path:  # ARASFSR's branch of sines.
            published += matrix * neighbours
            here += matrix * queries
        elif "conv" in path or path.split("/")[-2] in ("amplitude", "frequency"):
            published += matrix * lr_pixels
            here += matrix * lr_pixels
        else:
            published += matrix * neighbours
            here += matrix * neighbours
    if isinstance(decoder, MetaSR):
        here += 3 * decoder.hidden * queries  # Hidden values times projected features.
    encoder = sum(matrix for _, matrix in _matrices(model.encoder.fold())) * lr_pixels
    return MultiplyAdds(encoder, published, here)


def _matrices(layer) -> list[tuple[str, int]]:
    """Path and multiply-adds at one position of every weight that multiplies: biases do not."""
    weights = [weight for weight in layer.weights if len(weight.shape) > 1]
    return [(weight.path, math.prod(weight.shape)) for weight in weights]
