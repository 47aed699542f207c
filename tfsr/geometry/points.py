"""Sampling plans of scattered points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from keras import ops

from tfsr.geometry.axis import Axis, last_axis
from tfsr.geometry.coordinates import centres
from tfsr.geometry.neighbours import NeighbourMode, axis_at
from tfsr.geometry.plan import SamplingPlan


def points_plan(
    coordinates,
    cells,
    lr_size: Sequence[Any],
    neighbour_mode: NeighbourMode = "ensemble",
    window=None,
) -> SamplingPlan:
    """The sampling plan of scattered points.

    Args:
        coordinates: (batch, points, 2) float32 (row, column) in [-1, 1].
        cells: (batch, points, 2) float32 output pixel sizes, 2 / (H, W).
        lr_size: (h, w) of the LR image: integers, or scalar tensors inside a traced function.
        neighbour_mode: how neighbours are found.
        window: (batch, 4), if the LR image is a window of a larger image: its centre (row, column)
            and half its (height, width) in the larger one's coordinates. The plan's `neighbours`
            and `coordinates` are then those of the larger image.

    Example:
        >>> points = np.float32([[[0.75, 0.25]]])
        >>> plan = tfsr.geometry.points_plan(points, np.full_like(points, 0.5), (2, 2))
        >>> float(plan.rows.offsets[0, 0, 1])
        0.5
    """
    axes = ((coordinates[..., i], cells[..., i]) for i in (0, 1))
    return _plan(axes, lr_size, neighbour_mode, window)


def lattice_plan(
    rows,
    columns,
    cells,
    lr_size: Sequence[Any],
    neighbour_mode: NeighbourMode = "ensemble",
    window=None,
) -> SamplingPlan:
    """The sampling plan of lattices: each image's own rows x its own columns.

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
    axes = ((x, cells[:, i, None] * ops.ones_like(x)) for i, x in enumerate((rows, columns)))
    return _plan(axes, lr_size, neighbour_mode, window)


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


def _plan(axes, lr_size: Sequence[Any], mode: NeighbourMode, window) -> SamplingPlan:
    """The plan of two axes, each given as coordinates and cells, (batch, n)."""
    found = []
    for i, (coordinates, cells) in enumerate(axes):
        axis = _points_axis(coordinates, cells, ops.cast(lr_size[i], "float32"), mode)
        if window is not None:
            centre, half = window[:, i, None], window[:, 2 + i, None]
            axis = replace(
                axis,
                neighbours=last_axis(centre) + last_axis(half) * axis.neighbours,
                coordinates=centre + half * axis.coordinates,
            )
        found.append(axis)
    return SamplingPlan(found[0], found[1], (lr_size[0], lr_size[1]))


def _points_axis(coordinates, cells, lr, mode: NeighbourMode) -> Axis:
    position, count = _output_pixel(coordinates, cells)
    before = ops.floor(((coordinates + 1.0) * lr - 1.0) / 2.0)
    return axis_at(ops, mode, coordinates, before, lr, cells, position, count, cells * lr)


def _output_pixel(coordinates, cells):
    """(k + 1/2, HR size) of points, as on the grid that their cell implies.

    A point that is no pixel's centre has no k: its position in output pixels stands for k + 1/2,
    and the published formulas give the same result away from ties.
    """
    position = (coordinates + 1.0) / cells
    centre = ops.floor(position) + 0.5
    # Centres come within rounding of themselves; 1e-3 of a pixel is far outside that.
    centre = ops.where(ops.abs(position - centre) < 1e-3, centre, position)
    # The HR size, if the cell is that of an integer number of pixels: in a window it need not be.
    count = 2.0 / cells
    rounded = ops.round(count)
    return centre, ops.where(ops.abs(count - rounded) < 1e-5 * rounded, rounded, count)
