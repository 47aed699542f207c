"""An output in windows, each drawn from a part of the LR image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from tfsr.errors import InvalidArgument
from tfsr.geometry.grid import grid_axis
from tfsr.geometry.neighbours import NeighbourMode
from tfsr.geometry.plan import SamplingPlan

Span = tuple[int, int]
"""First pixel of an axis, and the one after the last."""


@dataclass(frozen=True)
class Tile:
    """A rectangle of an output, and the rectangle of the LR image that it is drawn from.

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
        """The whole output's sampling plan for this window, over the LR image's rectangle."""
        rows, columns = (
            grid_axis(lr, hr, *span, neighbour_mode).shift(lr_span[0])
            for lr, hr, span, lr_span in self.axes
        )
        crop = (self.lr_rows[0], self.lr_columns[0], *self.lr_size)
        return SamplingPlan(rows, columns, (_long(self.lr_rows), _long(self.lr_columns)), crop)

    def aligned(self, multiple: int) -> Tile:
        """The same window, of an LR rectangle whose first row and column are multiples."""
        rows, columns = (
            (-(-first // multiple) * multiple, last)
            for first, last in (self.lr_rows, self.lr_columns)
        )
        return replace(self, lr_rows=rows, lr_columns=columns)

    @property
    def axes(self) -> tuple[tuple[int, int, Span, Span], ...]:
        """Of the rows and of the columns: LR pixels, pixels of the output, and the two spans."""
        return (
            (self.lr_size[0], self.size[0], self.rows, self.lr_rows),
            (self.lr_size[1], self.size[1], self.columns, self.lr_columns),
        )


def make_tiles(
    lr_size: tuple[int, int],
    size: tuple[int, int],
    input_span: Callable[[int, int, int, int], Span],
    lr_pixels: int,
) -> list[Tile]:
    """Divide an output into windows, each drawn from so many LR pixels at most.

    Args:
        lr_size: (h, w) of the LR image.
        size: (H, W) of the output.
        input_span: maps (lr, hr, start, stop) to the first LR pixel and the one after the last that
            pixels start to stop of an axis are drawn from.
        lr_pixels: the most LR pixels of a window.

    Returns:
        The windows row by row; one where the whole image is not too large.

    Raises:
        InvalidArgument: if even a single pixel of the output needs more.
    """
    sides = list(zip(lr_size, size, strict=True))
    needed = [_long(input_span(lr, hr, hr // 2, hr // 2 + 1)) for lr, hr in sides]
    if math.prod(needed) > lr_pixels:
        raise _no_room(needed, lr_pixels)
    axes = [_Steps(lr, hr, input_span) for lr, hr in sides]
    # Near to squares, whose halo is the smallest, unless the image is narrower.
    short, long = sorted(axes, key=lambda axis: axis.longest)
    short.fit(math.isqrt(lr_pixels))
    long.fit(lr_pixels // short.longest)
    if short.longest * long.longest > lr_pixels:
        # The long axis is down to pixels that need more than a square's side.
        short.fit(lr_pixels // long.longest)
    if short.longest * long.longest > lr_pixels:
        raise _no_room([axis.longest for axis in axes], lr_pixels)
    return [
        Tile(lr_size, size, rows, columns, lr_rows, lr_columns)
        for rows, lr_rows in axes[0].parts
        for columns, lr_columns in axes[1].parts
    ]


class _Steps:
    """An axis of an output in equal steps, the last one aside: parts of it.

    All are as long as may be, so that a larger image has more windows, not larger ones. All but
    the last are drawn from equally many LR pixels.

    Attributes:
        parts: (first pixel of the output, the one after the last), and the same of the LR image.
        longest: the most LR pixels that a part is drawn from.
    """

    def __init__(self, lr: int, hr: int, input_span: Callable[[int, int, int, int], Span]) -> None:
        self._lr, self._hr, self._reach = lr, hr, input_span
        self._divide(hr)

    def fit(self, lr_pixels: int) -> None:
        """Take the longest steps drawn from so many LR pixels, or from a pixel's at the least."""
        low, high = 1, self._hr
        while low < high:
            step = (low + high + 1) // 2
            self._divide(step)
            low, high = (step, high) if self.longest <= lr_pixels else (low, step - 1)
        self._divide(low)

    def _divide(self, step: int) -> None:
        spans = [(start, min(start + step, self._hr)) for start in range(0, self._hr, step)]
        parts = [(span, self._reach(self._lr, self._hr, *span)) for span in spans]
        self.longest = most = max(_long(lr_span) for _, lr_span in parts)
        # At the image's edges less is needed. Of one length they take the same memory again.
        firsts = [min(first, self._lr - most) for _, (first, _) in parts]
        self.parts = [
            (span, (first, first + most))
            for (span, _), first in zip(parts[:-1], firsts[:-1], strict=True)
        ] + parts[-1:]


def _long(span: Span) -> int:
    first, last = span
    return last - first


def _no_room(needed: list[int], lr_pixels: int) -> InvalidArgument:
    return InvalidArgument(
        f"a pixel of the output is drawn from {needed[1]}x{needed[0]} pixels of the image; "
        f"there is room for {lr_pixels}"
    )
