"""Sampling plans of output grids."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry.axis import Axis
from tfsr.geometry.coordinates import centres, check_integers
from tfsr.geometry.neighbours import NeighbourMode, axis_at
from tfsr.geometry.plan import SamplingPlan


def grid_plan(
    lr_size: Sequence[int],
    size: Sequence[int],
    *,
    window: Sequence[int] | None = None,
    neighbour_mode: NeighbourMode = "ensemble",
) -> SamplingPlan:
    """The sampling plan of a whole output grid, or of a window of it.

    Args:
        lr_size: (h, w) of the LR image.
        size: (H, W) of the whole output.
        window: (top, left, height, width) in output pixels; the whole output if None. A window's
            plan equals the same rows and columns of the whole plan.
        neighbour_mode: how neighbours are found.

    Raises:
        InvalidArgument: if a size is not positive or the window leaves the output.

    Example:
        >>> plan = tfsr.geometry.grid_plan((2, 2), (4, 6))
        >>> len(plan.rows), len(plan.columns)
        (4, 6)
    """
    lr_size, size = check_integers("lr_size", lr_size, 2), check_integers("size", size, 2)
    if min(*lr_size, *size) < 1:
        raise InvalidArgument(f"sizes must be at least 1x1 pixels; received {lr_size} to {size}")
    window = (0, 0, *size) if window is None else check_integers("window", window, 4)
    top, left, height, width = window
    bottom, right = top + height, left + width
    if not (0 <= top < bottom <= size[0] and 0 <= left < right <= size[1]):
        raise InvalidArgument(
            f"(top, left, height, width) must lie inside the output {size}; received {window}",
            argument="window",
        )
    return SamplingPlan(
        rows=grid_axis(lr_size[0], size[0], top, bottom, neighbour_mode),
        columns=grid_axis(lr_size[1], size[1], left, right, neighbour_mode),
        lr_size=(lr_size[0], lr_size[1]),
    )


def grid_axis(lr, hr, start, stop, neighbour_mode: NeighbourMode = "ensemble") -> Axis:
    """One axis of a grid: output pixels start <= k < stop of `hr`, over `lr` LR pixels.

    Neighbours follow exactly from the integer k: in LR pixels the query lies at
    ((2k + 1) lr - hr) / (2 hr), whose floor is the neighbour before it. Through float32
    coordinates, as published, the last pixel of an odd scale is decided by rounding.

    Integers give an axis of NumPy arrays. Scalar integer tensors, known only when the graph runs,
    give the same numbers as tensors; `lr` and `hr` may then be at most 2^24 (on JAX without 64-bit
    integers, 2 (lr + 1) hr must be below 2^31).
    """
    sizes = lr, hr, start, stop
    xp = np if all(isinstance(n, Integral) for n in sizes) else ops
    lr, hr, start, stop = (np.int64(n) if xp is np else ops.cast(n, "int64") for n in sizes)
    k = xp.arange(start, stop, dtype="int64")
    cast = np.astype if xp is np else ops.cast
    lr_size, hr_size, pixels = (cast(n, "float32") for n in (lr, hr, k))
    coordinates = centres(pixels, hr_size)
    return axis_at(
        xp,
        neighbour_mode,
        coordinates,
        # No negative number is divided: ONNX would round it towards 0.
        before=cast(((2 * k + 1) * lr + hr) // (2 * hr) - 1, "float32"),
        lr=lr_size,
        cell=2.0 / hr_size,
        position=pixels + 0.5,
        count=hr_size,
        cells=xp.ones_like(coordinates) * (2.0 * lr_size / hr_size),
    )
