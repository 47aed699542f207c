"""Rendering mapped over patches: sizes that are known only when the graph runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keras import ops

from tfsr.decoders import Decoder
from tfsr.geometry import Axis, SamplingPlan, grid_axis
from tfsr.rendering.maps import project
from tfsr.rendering.queries import render_band


def render_mapped(
    decoder: Decoder,
    latent,
    size,
    window,
    budget: int,
    map_patches: Callable[[Callable[[Any], Any], Any], Any],
):
    """Render a window of the output, patch by patch: rows, or parts of one.

    Args:
        decoder: the decoder.
        latent: (batch, h, w, channels).
        size: (2,) int tensor, (H, W) of the whole output.
        window: (4,) int tensor, (top, left, height, width) of it.
        budget: queries decoded together.
        map_patches: maps a function of a patch's number, which returns colours (batch, rows,
            columns, 3) in [-1, 1], over the numbers.

    Returns:
        (batch, height, width, 3), of the type that `map_patches` returns.
    """
    batch, lr_height, lr_width = (ops.shape(latent)[i] for i in range(3))
    top, left, height, width = ops.unstack(window, 4)
    mode = decoder.neighbour_mode
    rows = grid_axis(lr_height, size[0], top, top + height, mode)
    columns = grid_axis(lr_width, size[1], left, left + width, mode)
    whole = SamplingPlan(rows, columns, (lr_height, lr_width))
    projected, image = project(decoder, latent, whole)

    across, wide = _divide(width, budget // batch)
    down, high = _divide(height, budget // (batch * wide))

    def patch(number):
        plan = replace(
            whole,
            rows=_part(rows, number // across * high, high),
            columns=_part(columns, number % across * wide, wide),
        )
        return render_band(decoder, projected, image, plan)

    patches = map_patches(patch, ops.arange(down * across))
    patches = ops.reshape(patches, (down, across, batch, high, wide, 3))
    ordered = ops.transpose(patches, (2, 0, 3, 1, 4, 5))
    return ops.reshape(ordered, (batch, down * high, across * wide, 3))[:, :height, :width]


def _divide(length, maximum):
    """The number of parts of a length, and the length of each: `maximum`, but at least 1."""
    maximum = ops.maximum(1, maximum)
    count = (length + maximum - 1) // maximum
    return count, (length + count - 1) // count


def _part(axis: Axis, start, count) -> Axis:
    """Some pixels of an axis. The last part repeats the last pixel where it is short of others."""
    k = ops.minimum(start + ops.arange(count), ops.shape(axis.coordinates)[0] - 1)
    return axis.map(lambda values: ops.take(values, k, axis=0))
