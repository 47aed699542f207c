"""The place of a face in an image: a rectangle, possibly rotated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry.coordinates import check_integers
from tfsr.geometry.tiles import Span

Point = tuple[float, float]
"""(row, column) in pixels: integers are pixel centres, (0, 0) is that of the first."""

EYES: tuple[Point, Point] = ((-13 / 256, -1 / 4), (-13 / 256, 1 / 4))
"""The eyes of an aligned face, (row, column) in [-1, 1], as in FFHQ, which the face presets were
trained on. In 256x256 pixels they lie at row 121, columns 95.5 and 159.5."""

LANDMARKS = ((-0.065, -0.2525), (-0.065, 0.2525), (0.234, 0.0), (0.462, -0.251), (0.462, 0.251))
"""A face's landmarks in its region, (row, column) in [-1, 1], in the order of `Face.landmarks`: the
means of what MTCNN finds in 120 training images, made symmetric."""

MIN_SIDE = 16
"""Minimal side of a face in pixels."""

# Pixels by which a box around a face may grow at each side to meet an edge of output pixels.
_SLACK = 8


@dataclass(frozen=True)
class FaceRegion:
    """A rectangle of an image, with coordinates of its own in [-1, 1].

    Attributes:
        centre: the region's (0, 0) in the image.
        down: (rows, columns) from there to the middle of its lower edge.
        across: (rows, columns) from there to the middle of its right edge.

    Example:
        >>> region = tfsr.faces.face_region_from_box((40, 60), (0, 10, 20, 30))
        >>> region.size, region.centre
        ((20, 30), (9.5, 24.5))
    """

    centre: Point
    down: Point
    across: Point

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the region in pixels of the image, rounded."""
        height, width = (max(1, round(2 * math.hypot(*half))) for half in (self.down, self.across))
        return height, width

    def resized(self, lr_size: Sequence[int], size: Sequence[int]) -> FaceRegion:
        """The same region after resizing the image from (h, w) to (H, W)."""
        rows, columns = (hr / lr for lr, hr in zip(lr_size, size, strict=True))
        return FaceRegion(
            ((self.centre[0] + 0.5) * rows - 0.5, (self.centre[1] + 0.5) * columns - 0.5),
            (self.down[0] * rows, self.down[1] * columns),
            (self.across[0] * rows, self.across[1] * columns),
        )

    def positions(self, rows: Span, size: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Image positions of the pixel centres of some rows of the region in (H, W) pixels.

        Returns:
            Rows and columns in pixels, (rows, W) float64 each.
        """
        height, width = size
        v = ((2 * np.arange(*rows) + 1) / height - 1)[:, None]
        u = ((2 * np.arange(width) + 1) / width - 1)[None]
        return (
            self.centre[0] + v * self.down[0] + u * self.across[0],
            self.centre[1] + v * self.down[1] + u * self.across[1],
        )

    def coordinates(self, rows: Span, columns: Span) -> tuple[np.ndarray, np.ndarray]:
        """Region coordinates of the pixel centres of a part of the image.

        Returns:
            Row and column in [-1, 1] inside the region, (rows, columns) float64 each.
        """
        y = np.arange(*rows)[:, None] - self.centre[0]
        x = np.arange(*columns)[None] - self.centre[1]
        (down_y, down_x), (across_y, across_x) = self.down, self.across
        area = down_y * across_x - down_x * across_y
        return (y * across_x - x * across_y) / area, (x * down_y - y * down_x) / area

    def spans(self, size: Sequence[int]) -> tuple[Span, Span]:
        """Rows and columns of an image of (H, W) that contain the region's part inside it."""
        axes = zip(size, self.centre, self.down, self.across, strict=True)
        rows, columns = (
            (
                min(length, max(0, math.ceil(middle - abs(down) - abs(across)))),
                max(0, min(length, math.floor(middle + abs(down) + abs(across)) + 1)),
            )
            for length, middle, down, across in axes
        )
        return rows, columns


def face_region_from_box(lr_size: Sequence[int], box: Sequence[int]) -> FaceRegion:
    """The region of a box (top, left, height, width) in pixels of an image of (h, w).

    Raises:
        InvalidArgument: if the box leaves the image, or is smaller than `MIN_SIDE`.

    Example:
        >>> tfsr.faces.face_region_from_box((40, 60), (0, 10, 20, 30)).size
        (20, 30)
    """
    top, left, height, width = check_integers("box", box, 4)
    if min(height, width) < MIN_SIDE:
        raise InvalidArgument(
            f"a face's box must be at least {MIN_SIDE}x{MIN_SIDE} pixels; received {width}x{height}"
        )
    if min(top, left) < 0 or top + height > lr_size[0] or left + width > lr_size[1]:
        raise InvalidArgument(
            f"the box of {width}x{height} pixels at {left},{top} leaves the "
            f"{lr_size[1]}x{lr_size[0]} image"
        )
    return _upright((top, top + height), (left, left + width))


def surrounding_box(
    region: FaceRegion, lr_size: Sequence[int], size: Sequence[int]
) -> tuple[Span, Span, FaceRegion]:
    """The whole pixels around a face, chosen so that it can be upscaled apart without resampling.

    Their edges lie on edges of output pixels where up to 8 pixels more at each side reach one, and
    as near to one as possible where not.

    Args:
        region: in pixels of an image of (h, w), possibly rotated.
        lr_size: (h, w).
        size: (H, W) of the output.

    Returns:
        Rows and columns of the image, and their region in the output.

    Example:
        >>> region = tfsr.faces.face_region_from_eyes((200, 200), ((99, 92), (99, 108)))
        >>> rows, columns, target = tfsr.faces.surrounding_box(region, (200, 200), (300, 300))
        >>> rows, columns, target.size
        ((68, 134), (68, 134), (99, 99))
    """
    rows, columns = (
        _on_output_edges(span, lr, hr)
        for span, lr, hr in zip(region.spans(lr_size), lr_size, size, strict=True)
    )
    return rows, columns, _upright(rows, columns).resized(lr_size, size)


def _on_output_edges(span: Span, lr: int, hr: int) -> Span:
    def distance(edge: int) -> tuple[float, int]:
        position = edge * hr / lr
        return round(abs(position - round(position)), 6), min(abs(edge - side) for side in span)

    starts = range(max(0, span[0] - _SLACK), span[0] + 1)
    stops = range(span[1], min(lr, span[1] + _SLACK) + 1)
    return min(starts, key=distance), min(stops, key=distance)


def _upright(rows: Span, columns: Span) -> FaceRegion:
    """The region of some rows and columns."""
    (row, down), (column, across) = (
        ((start + stop - 1) / 2, (stop - start) / 2) for start, stop in (rows, columns)
    )
    return FaceRegion((row, column), (down, 0.0), (0.0, across))


def face_region_from_eyes(lr_size: Sequence[int], eyes: tuple[Point, Point]) -> FaceRegion:
    """The square in which a face is upright and has its eyes at `EYES`.

    Args:
        lr_size: (h, w) of the image.
        eyes: (row, column) of the left and the right eye, as the viewer sees them.

    Raises:
        InvalidArgument: if an eye is outside the image, the eyes are swapped, or the square is
            smaller than `MIN_SIDE` or more than twice as large as the image.

    Example:
        >>> tfsr.faces.face_region_from_eyes((64, 64), ((30, 24), (30, 40))).size
        (64, 64)
    """
    (left_row, left_column), (right_row, right_column) = eyes
    named = f"the eyes at {left_column:g},{left_row:g} and {right_column:g},{right_row:g}"
    for row, column in eyes:
        if not (-0.5 <= row <= lr_size[0] - 0.5 and -0.5 <= column <= lr_size[1] - 0.5):
            raise InvalidArgument(f"{named} must lie in the {lr_size[1]}x{lr_size[0]} image")
    if left_column > right_column:
        raise InvalidArgument(
            f"{named} are swapped: the one on the left of the image comes first. Rotate a face "
            "that is upside down first"
        )
    # The eyes are a quarter of the width apart; `down` is `across` rotated by 90 degrees.
    scale = 1 / (EYES[1][1] - EYES[0][1])
    across = (right_row - left_row) * scale, (right_column - left_column) * scale
    down = across[1], -across[0]
    side, largest = 2 * math.hypot(*across), 2 * min(lr_size)
    if not MIN_SIDE <= side <= largest:
        raise InvalidArgument(
            f"{named} imply a face of {side:.4g}x{side:.4g} pixels; in this image it must be "
            f"{MIN_SIDE} to {largest} wide: eyes {MIN_SIDE / 4:g} to {largest / 4:g} pixels apart"
        )
    eye_row = EYES[0][0]
    middle = (left_row + right_row) / 2, (left_column + right_column) / 2
    return FaceRegion((middle[0] - eye_row * down[0], middle[1] - eye_row * down[1]), down, across)


def face_region_from_landmarks(landmarks: Sequence[Point]) -> FaceRegion:
    """The square around a face, upright and framed as the training images of the face presets.

    The similarity transform that brings the eyes and the corners of the mouth nearest to
    `LANDMARKS`, by least squares. The training images were aligned by their eyes, so the mouth has
    a quarter of the eyes' weight: it decides where a head is turned. The nose is left out.

    Args:
        landmarks: (row, column) in pixels of the left eye, the right eye, the nose, the left and
            the right corner of the mouth, as the viewer sees them.

    Example:
        >>> eyes_and_mouth = ((119.8, 95), (119.8, 160), (158, 127.5), (187, 95.5), (187, 159.5))
        >>> tfsr.faces.face_region_from_landmarks(eyes_and_mouth).size
        (256, 256)
    """
    used = [0, 1, 3, 4]
    v, u = np.array(LANDMARKS)[used].T
    zero, one = np.zeros(4), np.ones(4)
    # Unknown: the centre's row and column, and the row and column of `across`; with `down` at a
    # right angle to it, row = centre + v down + u across is linear in them.
    rows = np.stack([one, zero, u, v], axis=1)
    columns = np.stack([zero, one, -v, u], axis=1)
    target = np.array(landmarks, float)[used].T.ravel()
    weights = np.sqrt([1, 1, 0.25, 0.25] * 2)
    equations = weights[:, None] * np.concatenate([rows, columns])
    found = np.linalg.lstsq(equations, weights * target, rcond=None)[0]
    row, column, across_row, across_column = map(float, found)
    return FaceRegion((row, column), (across_column, -across_row), (across_row, across_column))
