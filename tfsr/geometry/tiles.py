"""An output split into tiles, each computed from a crop of the LR image, and their symmetries."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry.grid import grid_axis
from tfsr.geometry.neighbours import NeighbourMode
from tfsr.geometry.plan import SamplingPlan

Span = tuple[int, int]
"""First pixel of an axis, and the one after the last."""

InputSpan = Callable[[int, int, int, int], Span]
"""Maps (lr, hr, start, stop) to the span of LR pixels that output pixels start to stop need."""


@dataclass(frozen=True)
class Tile:
    """A rectangle of an output, and the rectangle of the LR image that it is computed from.

    Attributes:
        lr_size: (h, w) of the whole LR image.
        size: (H, W) of the whole output.
        rows: first row of the output's rectangle, and the one after the last.
        columns: the same for its columns.
        lr_rows: first row of the LR image's rectangle, and the one after the last.
        lr_columns: the same for its columns.
    """

    lr_size: tuple[int, int]
    size: tuple[int, int]
    rows: Span
    columns: Span
    lr_rows: Span
    lr_columns: Span

    def plan(self, neighbour_mode: NeighbourMode) -> SamplingPlan:
        """The whole output's sampling plan for this tile, over the LR image's rectangle."""
        rows, columns = (
            grid_axis(lr, hr, *span, neighbour_mode).shift(lr_span[0])
            for lr, hr, span, lr_span in self.axes
        )
        crop = (self.lr_rows[0], self.lr_columns[0], *self.lr_size)
        return SamplingPlan(rows, columns, (_length(self.lr_rows), _length(self.lr_columns)), crop)

    def aligned(self, multiple: int) -> Tile:
        """The tile with the first LR row and column rounded up to a multiple."""
        rows, columns = (
            (-(-first // multiple) * multiple, last)
            for first, last in (self.lr_rows, self.lr_columns)
        )
        return replace(self, lr_rows=rows, lr_columns=columns)

    @property
    def axes(self) -> tuple[tuple[int, int, Span, Span], ...]:
        """LR length, output length, output span and LR span of the rows and of the columns."""
        return (
            (self.lr_size[0], self.size[0], self.rows, self.lr_rows),
            (self.lr_size[1], self.size[1], self.columns, self.lr_columns),
        )


def make_tiles(
    lr_size: tuple[int, int], size: tuple[int, int], input_span: InputSpan, lr_pixels: int
) -> list[Tile]:
    """Split an output into tiles, each computed from at most `lr_pixels` LR pixels.

    Args:
        lr_size: (h, w) of the LR image.
        size: (H, W) of the output.
        input_span: maps (lr, hr, start, stop) to the first LR pixel that output pixels start to
            stop of an axis need, and the one after the last.
        lr_pixels: the maximum of LR pixels per tile.

    Returns:
        The tiles row by row; a single one if the whole image fits.

    Raises:
        InvalidArgument: if even a single output pixel needs more.
    """
    sides = list(zip(lr_size, size, strict=True))
    _check_fits([_length(input_span(lr, hr, hr // 2, hr // 2 + 1)) for lr, hr in sides], lr_pixels)
    axes = [_AxisTiles(lr, hr, input_span) for lr, hr in sides]
    # Nearly square tiles have the smallest halo, unless the image is narrower.
    short, long = sorted(axes, key=lambda axis: axis.longest)
    short.fit(math.isqrt(lr_pixels))
    long.fit(lr_pixels // short.longest)
    if short.longest * long.longest > lr_pixels:
        # A single pixel of the long axis needs more than a square's side.
        short.fit(lr_pixels // long.longest)
    _check_fits([axis.longest for axis in axes], lr_pixels)
    return [
        Tile(lr_size, size, rows, columns, lr_rows, lr_columns)
        for rows, lr_rows in axes[0].parts
        for columns, lr_columns in axes[1].parts
    ]


@dataclass(frozen=True)
class Symmetry:
    """A flip or rotation: rows and columns are reversed, then swapped.

    Attributes:
        rows: whether the rows are reversed.
        columns: whether the columns are reversed.
        swapped: whether rows become columns and columns rows.
    """

    rows: bool = False
    columns: bool = False
    swapped: bool = False

    def apply(self, images: np.ndarray) -> np.ndarray:
        """A view of images (batch, H, W, n): writing to it writes to them."""
        turned = images[:, :: -1 if self.rows else 1, :: -1 if self.columns else 1]
        return turned.swapaxes(1, 2) if self.swapped else turned

    def apply_to_tile(self, tile: Tile) -> Tile:
        """The same tile in the transformed image."""
        (h, height, rows, lr_rows), (w, width, columns, lr_columns) = tile.axes
        if self.rows:
            rows, lr_rows = _reversed(rows, height), _reversed(lr_rows, h)
        if self.columns:
            columns, lr_columns = _reversed(columns, width), _reversed(lr_columns, w)
        if self.swapped:
            return Tile((w, h), (width, height), columns, rows, lr_columns, lr_rows)
        return replace(tile, rows=rows, columns=columns, lr_rows=lr_rows, lr_columns=lr_columns)


MIRROR_TRANSFORMS = (Symmetry(), Symmetry(columns=True))
"""An image and its mirror image."""

# Transforms of one output shape are adjacent, so that what depends on it is made at most twice.
DIHEDRAL_TRANSFORMS = tuple(
    Symmetry(rows, columns, swapped) for swapped, rows, columns in product((False, True), repeat=3)
)
"""All eight symmetries of a square."""


class _AxisTiles:
    """An output axis in equal steps; only the last may be shorter.

    All steps but the last are computed from equally many LR pixels.

    Attributes:
        parts: the output span and the LR span of each step.
        longest: the largest number of LR pixels of a step.
    """

    def __init__(self, lr: int, hr: int, input_span: InputSpan) -> None:
        self._lr, self._hr, self._input_span = lr, hr, input_span
        self._divide(hr)

    def fit(self, lr_pixels: int) -> None:
        """Take the longest steps computed from at most `lr_pixels`; at least one output pixel."""
        low, high = 1, self._hr
        while low < high:
            step = (low + high + 1) // 2
            self._divide(step)
            low, high = (step, high) if self.longest <= lr_pixels else (low, step - 1)
        self._divide(low)

    def _divide(self, step: int) -> None:
        spans = [(start, min(start + step, self._hr)) for start in range(0, self._hr, step)]
        lr_spans = [self._input_span(self._lr, self._hr, *span) for span in spans]
        self.longest = longest = max(map(_length, lr_spans))
        # At the image's edges less is needed; tiles of equal size reuse the same memory.
        firsts = [min(first, self._lr - longest) for first, _ in lr_spans[:-1]]
        lr_spans[:-1] = [(first, first + longest) for first in firsts]
        self.parts = list(zip(spans, lr_spans, strict=True))


def _length(span: Span) -> int:
    return span[1] - span[0]


def _check_fits(needed: list[int], lr_pixels: int) -> None:
    if math.prod(needed) > lr_pixels:
        raise InvalidArgument(
            f"one output pixel needs {needed[1]}x{needed[0]} LR pixels; the limit is {lr_pixels}"
        )


def _reversed(span: Span, length: int) -> Span:
    return length - span[1], length - span[0]
