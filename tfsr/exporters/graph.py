"""A model at one size as a TensorFlow function that a converter can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keras import ops

from tfsr.geometry import Axis, Phase, SamplingPlan, joined
from tfsr.models import ImplicitSR


def at_size(
    model: ImplicitSR, lr_size: tuple[int, int], size: tuple[int, int], queries: int
) -> Callable[[Any], Any]:
    """A function from (1, h, w, 3) in [0, 1] to (1, H, W, 3), clipped to [0, 1].

    At whole scales it draws phases, and gathers nothing; at others, bands of rows, with one gather
    an axis.

    Args:
        model: the model.
        lr_size: (h, w).
        size: (H, W).
        queries: how many pixels are decoded together.
    """
    plan = model.plan(lr_size, size)

    def draw(image):
        latent = model.encode(image)
        # Position terms that no input reaches are folded by the converter, pixel by pixel.
        corner = ops.reshape(image[:1, :1, :1, :1], (1,))
        zero = ops.minimum(ops.square(corner), 0.0)
        if plan.phases() is not None:
            colours = _phases(model.decoder, latent, plan, queries, zero)
        else:
            colours = _bands(model.decoder, latent, plan, queries, zero)
        return ops.clip(0.5 * colours + 0.5, 0.0, 1.0)

    return draw


def _phases(decoder, latent, plan: SamplingPlan, queries: int, zero):
    def draw(projected, image, rows: Phase, columns: list[Phase]):
        all_columns = joined([phase.axis for phase in columns])
        count = max(1, queries // len(all_columns))
        bands = []
        for start in range(0, len(rows.axis), count):
            band = rows[start : start + count]
            condition = _condition(decoder, band.axis, all_columns, zero)
            bands.append(decoder.grid_phase(projected, image, band, columns, condition))
        return ops.concatenate(bands, axis=1)

    return decoder.whole_scale(latent, plan, draw)


def _bands(decoder, latent, plan: SamplingPlan, queries: int, zero):
    projected, image = decoder.split(latent)
    height, width = len(plan.rows), len(plan.columns)
    count = max(1, queries // width)
    bands = []
    for start in range(0, height, count):
        part = plan.part(slice(start, min(start + count, height)), slice(0, width))
        condition = _condition(decoder, part.rows, part.columns, zero)
        bands.append(decoder.grid(projected, image, part, condition))
    return ops.concatenate(bands, axis=1)


def _condition(decoder, rows: Axis, columns: Axis, zero):
    moving = replace(rows, coordinates=rows.coordinates + zero, offsets=rows.offsets + zero)
    return decoder.grid_condition(moving, columns)
