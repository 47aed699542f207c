"""Parts of an image that a comparison shows enlarged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.images import resize
from tfsr.inference.target_size import Size

_DETAIL_SIDE = 512  # Detail is measured in a copy of at most this many pixels a side.
_MIN_SIDE = 8


@dataclass(frozen=True)
class ZoomInset:
    """A rectangle of an LR image, in its pixels.

    Example:
        >>> str(tfsr.evaluation.ZoomInset(x=4, y=2, width=8, height=6))
        '8x6 at 4,2'
    """

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.x},{self.y}"

    def check(self, lr_size: Size) -> None:
        """Raise unless it lies in an image of (h, w).

        Raises:
            InvalidArgument: if it does not.
        """
        height, width = lr_size
        inside = self.x + self.width <= width and self.y + self.height <= height
        if not inside or min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise InvalidArgument(
                f"must lie in the LR image's {width}x{height} pixels; received "
                f"{self.x},{self.y},{self.width},{self.height}",
                "inset",
            )

    def spans(self, lr_size: Size, size: Size) -> tuple[slice, slice]:
        """Return its rows and columns in the image of (h, w) resized to (H, W); none is empty."""
        return (
            _span(self.y, self.height, lr_size[0], size[0]),
            _span(self.x, self.width, lr_size[1], size[1]),
        )


def find_detail(image: np.ndarray, max_side: int) -> ZoomInset | None:
    """Find the square with the most detail: the largest loss when the image is halved.

    Args:
        image: (h, w, 3) uint8.
        max_side: int. Its largest side in pixels, otherwise a third of the image's shorter one.

    Returns:
        None if the image is no larger than that square.
    """
    size = image.shape[:2]
    side = max(_MIN_SIDE, min(size[0] // 3, size[1] // 3, max_side))
    rows, columns = min(side, size[0]), min(side, size[1])
    if (rows, columns) == size:
        return None
    step = max(1.0, max(size) / _DETAIL_SIDE)
    height, width = (max(1, round(length / step)) for length in size)
    reduced = resize(image, (height, width))
    half = resize(reduced, (math.ceil(height / 2), math.ceil(width / 2)))
    loss = np.abs(reduced.astype(np.int32) - resize(half, (height, width))).sum(axis=-1)
    window = [
        min(max(1, round(length / step)), whole)
        for length, whole in zip((rows, columns), (height, width), strict=True)
    ]
    sums = _window_sums(loss, window[0], window[1])
    y, x = (round(float(i) * step) for i in np.unravel_index(np.argmax(sums), sums.shape))
    return ZoomInset(min(x, size[1] - columns), min(y, size[0] - rows), columns, rows)


def _span(start: int, length: int, lr: int, hr: int) -> slice:
    first = min(round(start * hr / lr), hr - 1)
    return slice(first, max(first + 1, round((start + length) * hr / lr)))


def _window_sums(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Sums of all windows inside."""
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    down = sums[height:] - sums[:-height]
    return down[:, width:] - down[:, :-width]
