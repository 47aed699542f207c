"""A model at one size as a TensorFlow function that a converter can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders import LinearDecoder
from tfsr.decoders.decoder import pixel_shuffle
from tfsr.decoders.linear import Tail
from tfsr.geometry import Axis, Phase, SamplingPlan, concat_axes
from tfsr.models import ImplicitSR


def at_size(
    model: ImplicitSR, lr_size: tuple[int, int], size: tuple[int, int], num_points: int
) -> Callable[[Any], Any]:
    """A function from (1, h, w, 3) in [0, 1] to (1, H, W, 3), clipped to [0, 1].

    At integer scales it is one convolution, of a linear decoder, or phases, and gathers nothing; at
    others, bands of rows, with one gather an axis.

    Args:
        model: the model.
        lr_size: (h, w).
        size: (H, W).
        num_points: how many pixels are decoded together.
    """
    plan = model.plan(lr_size, size)
    decoder, scales = model.decoder, plan.integer_scales()
    if isinstance(decoder, LinearDecoder) and scales:
        # Its kernels are constants of the file.
        tail = Tail(*(None if x is None else np.array(x) for x in decoder.tail(scales).tensors()))

        def convolved(image):
            colours = pixel_shuffle(decoder.sub_pixels(*model.encode_parts(image), tail), *scales)
            return _finished(colours)

        return convolved

    def draw(image):
        latent = model.encode(image)
        # What no input reaches is folded by the converter: a row's or a column's share of a layer
        # at the layer's width, and the branch of coordinates pixel by pixel.
        zero = ops.minimum(ops.square(image[:1, :1, :1, :1]), 0.0)
        if plan.phases() is not None:
            colours = _phases(model.decoder, latent, plan, num_points, zero)
        else:
            colours = _bands(model.decoder, latent, plan, num_points, zero)
        return _finished(colours)

    return draw


def _finished(colours):
    """Colours in [-1, 1] as those of an image, in [0, 1]."""
    with keras.name_scope("output"):
        return ops.clip(0.5 * colours + 0.5, 0.0, 1.0)


def _phases(decoder, latent, plan: SamplingPlan, num_points: int, zero):
    def draw(projected, image, rows: Phase, columns: list[Phase]):
        columns = [replace(phase, axis=_reached(phase.axis, zero)) for phase in columns]
        all_columns = concat_axes([phase.axis for phase in columns])
        count = max(1, num_points // all_columns.coordinates.shape[0])
        bands = []
        for start in range(0, len(rows.axis), count):
            band = rows[start : start + count]
            band = replace(band, axis=_reached(band.axis, zero))
            modulation = decoder.grid_modulation(band.axis, all_columns)
            bands.append(decoder.grid_phase(projected, image, band, columns, modulation))
        return ops.concatenate(bands, axis=1)

    return decoder.integer_scale(latent, plan, draw)


def _bands(decoder, latent, plan: SamplingPlan, num_points: int, zero):
    projected, image = decoder.split(latent, plan)
    height, width = len(plan.rows), len(plan.columns)
    columns = _reached(plan.columns, zero)
    count = max(1, num_points // width)
    bands = []
    for start in range(0, height, count):
        rows = _reached(plan.rows[start : start + count], zero)
        modulation = decoder.grid_modulation(rows, columns)
        part = SamplingPlan(rows, columns, plan.lr_size)
        bands.append(decoder.grid(projected, image, part, modulation))
    return ops.concatenate(bands, axis=1)


def _reached(axis: Axis, zero) -> Axis:
    """The same axis, as far as a converter can tell a function of the input.

    Added with all axes of an image: of fewer, WebGPU delegates add to the first value alone.
    """

    def reached(values):
        wide = ops.convert_to_tensor(values.reshape(1, len(values), 1, -1)) + zero
        return ops.reshape(wide, values.shape)

    return replace(
        axis.map(ops.convert_to_tensor),
        coordinates=reached(axis.coordinates),
        offsets=reached(axis.offsets),
    )
