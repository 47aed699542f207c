"""Sampling plans of output grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry.axis import Axis
from tfsr.geometry.coordinates import centres, check_integers, first_centre
from tfsr.geometry.neighbours import (
    NeighbourMode,
    centred_coordinate,
    centred_index,
    corner,
    linear_weights,
    nearest_exact_index,
    nearest_index,
)
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
    """
    lr_size, size = check_integers("LR size", lr_size, 2), check_integers("size", size, 2)
    if min(*lr_size, *size) < 1:
        raise InvalidArgument(f"sizes must be at least 1x1 pixels; got {lr_size} to {size}")
    window = (0, 0, *size) if window is None else check_integers("window", window, 4)
    top, left, height, width = window
    if (
        min(top, left) < 0
        or min(height, width) < 1
        or top + height > size[0]
        or (left + width > size[1])
    ):
        raise InvalidArgument(
            f"window (top, left, height, width) must lie inside the output {tuple(size)}; "
            f"got {(top, left, height, width)}"
        )
    return SamplingPlan(
        rows=grid_axis(lr_size[0], size[0], top, top + height, neighbour_mode),
        columns=grid_axis(lr_size[1], size[1], left, left + width, neighbour_mode),
        lr_size=(lr_size[0], lr_size[1]),
    )


def grid_axis(
    lr: int, hr: int, start: int, stop: int, neighbour_mode: NeighbourMode = "ensemble"
) -> Axis:
    """One axis of a grid: output pixels start <= k < stop of `hr`, over `lr` LR pixels.

    Neighbours follow from the integer k, exactly: in LR pixels the query lies at
    ((2k + 1) lr - hr) / (2 hr), whose floor is the neighbour before it. Through float32
    coordinates, as published, the last pixel of an odd scale is decided by rounding.
    """
    k = np.arange(start, stop, dtype=np.int64)
    return _grid_axis(np, k, np.asarray(lr), np.asarray(hr), neighbour_mode)


def traced_grid_axis(lr, hr, start, stop, neighbour_mode: NeighbourMode = "ensemble") -> Axis:
    """What `grid_axis` answers, bit for bit, where sizes are known only when the graph is run.

    Args:
        lr: scalar tensor of whole numbers, as are the next three; at most 2^24.
        hr: of the same kind, at most 2^24.
        start: first output pixel.
        stop: the one after the last.
        neighbour_mode: how neighbours are found.

    Returns:
        An axis of backend tensors. On JAX, whose integers are of 32 bits unless told otherwise,
        2 lr hr must be below 2^31.
    """
    lr, hr, start, stop = (ops.cast(n, "int64") for n in (lr, hr, start, stop))
    return _grid_axis(ops, ops.arange(start, stop, dtype="int64"), lr, hr, neighbour_mode)


def _grid_axis(xp, k, lr, hr, neighbour_mode: NeighbourMode) -> Axis:
    """An axis at output pixels k, of NumPy arrays or of tensors: all are int64."""
    cast = np.astype if xp is np else ops.cast
    lr_size, hr_size = cast(lr, "float32"), cast(hr, "float32")
    numerator = (2 * k + 1) * lr - hr
    before = numerator // (2 * hr)
    coordinates = centres(cast(k, "float32"), hr_size)

    # Offsets are float32 differences, as published: exact ones differ by its rounding, which the
    # weights between very different neighbours, and the sines of DIINN and LTE, would show.
    pair = xp.clip(xp.stack([before, before + 1], axis=-1), 0, lr - 1)
    pair_centres = centres(cast(pair, "float32"), lr_size)
    pair_offsets = (coordinates[:, None] - pair_centres) * lr_size
    pair_weights = linear_weights(xp, pair, pair_offsets)
    if neighbour_mode == "ensemble":
        indices, offsets, weights = pair, pair_offsets, pair_weights
    else:
        query, first = coordinates, first_centre(lr_size)
        if neighbour_mode == "nearest-centred":
            query = centred_coordinate(cast(k, "float32") + 0.5, hr_size)
            nearest = centred_index(xp, query, lr_size)
        elif neighbour_mode == "nearest":
            nearest = nearest_index(xp, coordinates, lr_size)
        elif neighbour_mode == "nearest-exact":
            nearest = nearest_exact_index(xp, cast(k, "float32") + 0.5, lr_size / hr_size, lr_size)
        else:
            cell = 2.0 / hr_size
            nearest = nearest_index(xp, corner(coordinates, cell), lr_size)
            query, first = coordinates - cell / 2, -1.0
        indices = cast(nearest, "int64")[:, None]
        weights = xp.ones_like(indices, dtype="float32")
        if neighbour_mode == "nearest-centred":
            centre = centred_coordinate(cast(indices, "float32") + 0.5, lr_size)
            offsets = (query[:, None] - centre) * lr_size * 2.0
        else:
            steps = (2.0 / lr_size) * cast(indices, "float32")
            offsets = (query[:, None] - (first + steps)) * lr_size
    return Axis(
        indices=cast(indices, "int32"),
        offsets=offsets,
        weights=weights,
        neighbours=centres(cast(indices, "float32"), lr_size),
        coordinates=coordinates,
        cells=xp.ones_like(coordinates) * (2.0 * lr_size / hr_size),
        pair_indices=cast(pair, "int32"),
        pair_weights=pair_weights,
    )
