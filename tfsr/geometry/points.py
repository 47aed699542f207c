"""Sampling plans of scattered points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from tfsr.geometry.axis import Axis
from tfsr.geometry.coordinates import centres
from tfsr.geometry.neighbours import (
    NeighbourMode,
    centred_coordinate,
    centred_index,
    corner,
    linear_weights,
    nearest_exact_index,
    nearest_index,
    output_pixel,
)
from tfsr.geometry.plan import SamplingPlan


def points_plan(
    coordinates,
    cells,
    lr_size: Sequence[Any],
    neighbour_mode: NeighbourMode = "ensemble",
    window=None,
) -> SamplingPlan:
    """The sampling plan of scattered points: the same formulas, one query at a time.

    Args:
        coordinates: (batch, points, 2) float32 (row, column) in [-1, 1].
        cells: (batch, points, 2) float32 output pixel sizes, 2 / (H, W).
        lr_size: (h, w) of the LR image: integers, or scalar tensors inside a traced function.
        neighbour_mode: how neighbours are found.
        window: (batch, 4), or None where the LR image is whole. Where it is a window cut from a
            larger image: its centre (row, column) and half its (height, width) in the larger
            one's coordinates. The plan's global coordinates are then those of the larger image.
    """
    return _plan(
        (coordinates[..., 0], coordinates[..., 1]),
        (cells[..., 0], cells[..., 1]),
        lr_size,
        neighbour_mode,
        window,
    )


def lattice_plan(
    rows,
    columns,
    cells,
    lr_size: Sequence[Any],
    neighbour_mode: NeighbourMode = "ensemble",
    window=None,
) -> SamplingPlan:
    """The sampling plan of a lattice: all points of each image's own rows and columns.

    Args:
        rows: (batch, P) float32 row coordinates in [-1, 1].
        columns: (batch, Q) float32 column coordinates in [-1, 1].
        cells: (batch, 2) float32 output pixel sizes, 2 / (H, W).
        lr_size: as in `points_plan`, as are the next two.
        neighbour_mode: how neighbours are found.
        window: (batch, 4), or None.

    Returns:
        A plan whose axes begin with (batch, P) and (batch, Q).
    """
    row_cells, column_cells = (
        cells[:, i, None] * ops.ones_like(axis) for i, axis in enumerate((rows, columns))
    )
    return _plan((rows, columns), (row_cells, column_cells), lr_size, neighbour_mode, window)


def window_coordinates(window, lr_size: Sequence[Any]) -> tuple[Any, Any]:
    """Centres of a window's LR pixels in the larger image: (batch, h) and (batch, w), in [-1, 1].

    Args:
        window: (batch, 4), as in `points_plan`.
        lr_size: (h, w) of the window.
    """
    rows, columns = (
        window[:, i, None]
        + window[:, 2 + i, None]
        * centres(ops.arange(length, dtype="float32"), ops.cast(length, "float32"))
        for i, length in enumerate(lr_size)
    )
    return rows, columns


def _plan(
    coordinates, cells, lr_size: Sequence[Any], neighbour_mode: NeighbourMode, window
) -> SamplingPlan:
    """The plan of two axes, each of (batch, n) coordinates and cells."""
    axes = []
    for i in (0, 1):
        axis = _points_axis(coordinates[i], cells[i], lr_size[i], neighbour_mode)
        if window is not None:
            centre, half = window[:, i, None], window[:, 2 + i, None]
            axis = replace(
                axis,
                neighbours=centre[..., None] + half[..., None] * axis.neighbours,
                coordinates=centre + half * axis.coordinates,
            )
        axes.append(axis)
    return SamplingPlan(rows=axes[0], columns=axes[1], lr_size=(lr_size[0], lr_size[1]))


def _points_axis(coordinates, cells, lr, neighbour_mode: NeighbourMode) -> Axis:
    size = ops.cast(lr, "float32")
    # The first pixel's centre as pixel_centres has it, in float64 where the size is a number.
    centre = float(np.float32(-1 + 1 / lr)) if isinstance(lr, int) else 1.0 / size - 1.0
    before = ops.floor(((coordinates + 1.0) * size - 1.0) / 2.0)
    pair = ops.clip(ops.stack([before, before + 1.0], axis=-1), 0.0, size - 1.0)
    pair_offsets = (coordinates[..., None] - (centre + (2.0 / size) * pair)) * size
    pair_weights = linear_weights(ops, pair, pair_offsets)
    if neighbour_mode == "ensemble":
        indices, offsets, weights = pair, pair_offsets, pair_weights
    else:
        query, first = coordinates, centre
        if neighbour_mode == "nearest":
            nearest = nearest_index(ops, coordinates, size)
        elif neighbour_mode == "nearest-exact":
            position, count = output_pixel(coordinates, cells, size)
            nearest = nearest_exact_index(ops, position, size / count, size)
        elif neighbour_mode == "nearest-centred":
            query = centred_coordinate(*output_pixel(coordinates, cells, size))
            nearest = centred_index(ops, query, size)
        else:
            query, first = coordinates - cells / 2.0, -1.0
            nearest = nearest_index(ops, corner(coordinates, cells), size)
        indices = nearest[..., None]
        weights = ops.ones_like(indices)
        if neighbour_mode == "nearest-centred":
            offsets = (query[..., None] - centred_coordinate(indices + 0.5, size)) * size * 2.0
        else:
            offsets = (query[..., None] - (first + (2.0 / size) * indices)) * size
    return Axis(
        indices=ops.cast(indices, "int32"),
        offsets=offsets,
        weights=weights,
        neighbours=centre + (2.0 / size) * indices,
        coordinates=coordinates,
        cells=cells * size,
        pair_indices=ops.cast(pair, "int32"),
        pair_weights=pair_weights,
    )
