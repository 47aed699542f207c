"""Sampling plans: the two axes of a set of queries, and the phases of integer scales."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfsr.geometry.axis import Axis
from tfsr.geometry.coordinates import pixel_centres


@dataclass(frozen=True)
class SamplingPlan:
    """The sampling geometry of an output grid, or of a set of points, over an LR image.

    Attributes:
        rows: the rows' geometry.
        columns: the columns'.
        lr_size: (h, w) of the LR image, or of the crop of it that the indices count in.
        crop: (top, left, whole height, whole width) of a crop; None for a whole image.

    Example:
        >>> plan = tfsr.geometry.grid_plan((2, 2), (4, 6))
        >>> plan.integer_scales()
        (2, 3)
    """

    rows: Axis
    columns: Axis
    lr_size: tuple[Any, Any]
    crop: tuple[int, int, int, int] | None = None

    def integer_scales(self) -> tuple[int, int] | None:
        """Output pixels per LR pixel on both axes of a grid, if these are integers."""
        scales = [2.0 / float(axis.cells[0]) for axis in (self.rows, self.columns)]
        rows, columns = (max(1, round(scale)) for scale in scales)
        exact = abs(scales[0] - rows) < 5e-7 * rows and abs(scales[1] - columns) < 5e-7 * columns
        return (rows, columns) if exact else None

    def phases(self, all_neighbours: bool = False) -> tuple[list[Phase], list[Phase]] | None:
        """Return the phases of the rows and of the columns of a grid of integer scales.

        None if a scale is not an integer, or if somewhere the neighbours are not consecutive:
        published neighbours that float32 rounding decides are not always regular.

        Args:
            all_neighbours: whether neighbours of weight 0 are kept.
        """
        scales = self.integer_scales()
        if scales is None:
            return None
        rows = _axis_phases(self.rows, self.lr_size[0], scales[0], all_neighbours)
        columns = _axis_phases(self.columns, self.lr_size[1], scales[1], all_neighbours)
        return (rows, columns) if rows and columns else None

    def lr_coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres of the LR pixels in the whole image: rows (h,) and columns (w,), in [-1, 1]."""
        top, left, height, width = self.crop or (0, 0, *self.lr_size)
        return (
            pixel_centres(height)[top : top + self.lr_size[0]],
            pixel_centres(width)[left : left + self.lr_size[1]],
        )


@dataclass(frozen=True)
class Phase:
    """Every s-th row (or column) of a grid, s being the integer scale of its axis.

    For each neighbour, the LR pixels of consecutive rows are consecutive: a run, as long as there
    are rows. A run may begin one pixel before the LR image, or end one after it; the pixel outside
    stands for the one at the edge. Neighbours of weight 0 are left out.

    Attributes:
        axis: the rows' geometry; k is 1 where a neighbour was left out.
        starts: (k,) int32. The LR pixel at which each neighbour's run begins, at least -1.
        pair_starts: (2,) int32. The same for linear interpolation.
    """

    axis: Axis
    starts: Any
    pair_starts: Any

    def __getitem__(self, span: slice) -> Phase:
        """Some consecutive rows of the phase."""
        first = span.start
        return Phase(self.axis[span], self.starts + first, self.pair_starts + first)

    def shift(self, start: int) -> Phase:
        """The phase over features that begin at LR pixel `start`; the input image is whole."""
        return replace(self, starts=self.starts - start)


def _axis_phases(axis: Axis, lr: int, scale: int, all_neighbours: bool) -> list[Phase] | None:
    """Rows i, i + scale, i + 2 scale and so on for each i below the scale and the axis's length."""
    phases = []
    for i in range(min(scale, len(axis))):
        part = axis[i::scale]
        # A query on a pixel's centre gives it the whole weight, but for float32 rounding. After
        # the last centre both neighbours are one pixel.
        weightless = part.weights.shape[-1] == 2 and np.all(
            (part.weights[:, 1] < 1e-4) | (part.indices[:, 0] == part.indices[:, 1])
        )
        if weightless and not all_neighbours:
            part = replace(
                part,
                indices=part.indices[:, :1],
                offsets=part.offsets[:, :1],
                weights=np.ones_like(part.weights[:, :1]),
                neighbours=part.neighbours[:, :1],
            )
        starts = [_run_start(column, lr) for column in part.indices.T]
        pair_starts = [_run_start(column, lr) for column in part.pair_indices.T]
        if None in starts or None in pair_starts:
            return None
        phases.append(Phase(part, np.array(starts, np.int32), np.array(pair_starts, np.int32)))
    return phases


def _run_start(indices: np.ndarray, lr: int) -> int | None:
    """Where consecutive indices, clamped to `lr` pixels, begin; None if not consecutive."""
    for start in (int(indices[0]), int(indices[0]) - 1):
        run = start + np.arange(len(indices))
        if run[-1] <= lr and np.array_equal(np.clip(run, 0, lr - 1), indices):
            return start
    return None
