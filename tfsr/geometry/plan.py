"""Sampling plans: the two axes of a set of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.geometry.axis import Axis
from tfsr.geometry.coordinates import pixel_centres
from tfsr.geometry.phase import Phase, phases_of


@dataclass(frozen=True)
class SamplingPlan:
    """Where each pixel of an output grid, or each of a set of points, looks in the LR image.

    Attributes:
        rows: the rows' geometry.
        columns: the columns'.
        lr_size: (h, w) of the LR image, or of the crop of it that the indices count in.
        crop: (top, left, whole height, whole width) where it is a crop; None where it is whole.
    """

    rows: Axis
    columns: Axis
    lr_size: tuple[Any, Any]
    crop: tuple[int, int, int, int] | None = None

    def integer_scales(self) -> tuple[int, int] | None:
        """Output pixels to an LR pixel on both axes of a grid, if these are whole numbers."""
        scales = [2.0 / float(axis.cells[0]) for axis in (self.rows, self.columns)]
        rows, columns = (max(1, round(scale)) for scale in scales)
        whole = abs(scales[0] - rows) < 5e-7 * rows and abs(scales[1] - columns) < 5e-7 * columns
        return (rows, columns) if whole else None

    def phases(self) -> tuple[list[Phase], list[Phase]] | None:
        """The phases of the rows and of the columns of a grid of whole scales.

        None if a scale is not whole, or if somewhere the neighbours are no runs: a published lookup
        that float32 rounding decides is not always regular.
        """
        scales = self.integer_scales()
        if scales is None:
            return None
        rows = phases_of(self.rows, self.lr_size[0], scales[0])
        columns = phases_of(self.columns, self.lr_size[1], scales[1])
        return (rows, columns) if rows and columns else None

    def lr_coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres of the LR pixels in the whole image: rows (h,) and columns (w,), in [-1, 1]."""
        top, left, *whole = self.crop or (0, 0, *self.lr_size)
        starts_and_sizes = zip((top, left), self.lr_size, whole, strict=True)
        rows, columns = (
            pixel_centres(length)[start : start + size] for start, size, length in starts_and_sizes
        )
        return rows, columns
