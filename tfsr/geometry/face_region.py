"""Where a face lies in an image: a rectangle of it, which may be turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry.coordinates import check_integers
from tfsr.geometry.tiles import Span

Point = tuple[float, float]
"""(row, column) in pixels: whole numbers are pixel centres, (0, 0) is that of the first."""

EYES: tuple[Point, Point] = ((-13 / 256, -1 / 4), (-13 / 256, 1 / 4))
"""The eyes of an aligned face, (row, column) in [-1, 1]: those of FFHQ's framing, which the presets
for faces were trained on. In 256x256 pixels they lie at row 121, columns 95.5 and 159.5."""

SMALLEST = 16
"""Pixels of a face's side below which there is nothing to restore a face from."""


@dataclass(frozen=True)
class FaceRegion:
    """A rectangle of an image, with coordinates of its own in [-1, 1].

    Attributes:
        centre: where the frame's (0, 0) lies in the image.
        down: (rows, columns) from there to the middle of its lower edge.
        across: (rows, columns) from there to the middle of its right edge.
    """

    centre: Point
    down: Point
    across: Point

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the frame in pixels as large as the image's, but for the rounding."""
        return _long(self.down), _long(self.across)

    def in_size(self, lr_size: Sequence[int], size: Sequence[int]) -> FaceRegion:
        """The same frame in the same image of (h, w) once it is resized to (H, W)."""
        rows, columns = (hr / lr for lr, hr in zip(lr_size, size, strict=True))
        return FaceRegion(
            ((self.centre[0] + 0.5) * rows - 0.5, (self.centre[1] + 0.5) * columns - 0.5),
            (self.down[0] * rows, self.down[1] * columns),
            (self.across[0] * rows, self.across[1] * columns),
        )

    def positions(self, rows: Span) -> tuple[np.ndarray, np.ndarray]:
        """Where in the image some rows of the frame's `size` pixels have their centres.

        Returns:
            Rows and columns in pixels, (rows, W) float64 each.
        """
        height, width = self.size
        v = (_own(np.arange(*rows), height))[:, None]
        u = (_own(np.arange(width), width))[None]
        return (
            self.centre[0] + v * self.down[0] + u * self.across[0],
            self.centre[1] + v * self.down[1] + u * self.across[1],
        )

    def coordinates(self, rows: Span, columns: Span) -> tuple[np.ndarray, np.ndarray]:
        """Where in the frame the pixels of a part of the image have their centres.

        Returns:
            Row and column in [-1, 1] inside the frame, (rows, columns) float64 each.
        """
        y = np.arange(*rows)[:, None] - self.centre[0]
        x = np.arange(*columns)[None] - self.centre[1]
        (down_y, down_x), (across_y, across_x) = self.down, self.across
        area = down_y * across_x - down_x * across_y
        return (y * across_x - x * across_y) / area, (x * down_y - y * down_x) / area

    def spans(self, size: Sequence[int]) -> tuple[Span, Span]:
        """Rows and columns of an image of (H, W) that hold all of the frame that is inside."""
        rows, columns = (
            (
                min(length, max(0, math.ceil(middle - abs(down) - abs(across)))),
                max(0, min(length, math.floor(middle + abs(down) + abs(across)) + 1)),
            )
            for length, middle, down, across in zip(
                size, self.centre, self.down, self.across, strict=True
            )
        )
        return rows, columns


def face_region_from_box(lr_size: Sequence[int], box: Sequence[int]) -> FaceRegion:
    """The frame of (top, left, height, width) pixels of an image of (h, w).

    Raises:
        InvalidArgument: if the box leaves the image, or is smaller than `SMALLEST`.
    """
    top, left, height, width = check_integers("box", box, 4)
    if min(height, width) < SMALLEST:
        raise InvalidArgument(
            f"a face's box must be at least {SMALLEST}x{SMALLEST} pixels; got {width}x{height}"
        )
    if min(top, left) < 0 or top + height > lr_size[0] or left + width > lr_size[1]:
        raise InvalidArgument(
            f"the box of {width}x{height} pixels at {left},{top} leaves the image, which is "
            f"{lr_size[1]}x{lr_size[0]}"
        )
    middle = top + (height - 1) / 2, left + (width - 1) / 2
    return FaceRegion(middle, (height / 2, 0.0), (0.0, width / 2))


def face_region_from_eyes(lr_size: Sequence[int], eyes: tuple[Point, Point]) -> FaceRegion:
    """The square in which a face is upright and has its eyes at `EYES`.

    Args:
        lr_size: (h, w) of the image.
        eyes: the left and the right one, as one sees them.

    Raises:
        InvalidArgument: if an eye is not in the image, they are changed about, or the square is
            smaller than `SMALLEST` or more than twice as large as the image.
    """
    (left_row, left_column), (right_row, right_column) = eyes
    named = f"the eyes at {left_column:g},{left_row:g} and {right_column:g},{right_row:g}"
    for row, column in eyes:
        if not (-0.5 <= row <= lr_size[0] - 0.5 and -0.5 <= column <= lr_size[1] - 0.5):
            raise InvalidArgument(
                f"{named} must lie in the image, which is {lr_size[1]}x{lr_size[0]}"
            )
    if left_column > right_column:
        raise InvalidArgument(
            f"{named} are changed about: the left one as one sees it comes first. A face that is "
            "upside down must be turned first"
        )
    # From eye to eye is half of the way from edge to edge; down is across turned by 90 degrees.
    scale = 1 / (EYES[1][1] - EYES[0][1])
    across = (right_row - left_row) * scale, (right_column - left_column) * scale
    down = across[1], -across[0]
    side, most = 2 * math.hypot(*across), 2 * min(lr_size)
    if not SMALLEST <= side <= most:
        raise InvalidArgument(
            f"{named} are those of a face of {side:.4g}x{side:.4g} pixels; in this image it may "
            f"be {SMALLEST} to {most} wide: eyes {SMALLEST / 4:g} to {most / 4:g} pixels apart"
        )
    eye_row = EYES[0][0]
    middle = (left_row + right_row) / 2, (left_column + right_column) / 2
    return FaceRegion((middle[0] - eye_row * down[0], middle[1] - eye_row * down[1]), down, across)


def _own(pixels: np.ndarray, length: int) -> np.ndarray:
    """Coordinates in [-1, 1] of the centres of some of an axis's pixels, in float64."""
    return (2 * pixels + 1) / length - 1


def _long(half: Point) -> int:
    return max(1, round(2 * math.hypot(*half)))
