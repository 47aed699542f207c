"""Insets: small parts of an image that a sheet shows large."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.evaluation.reduction import Size
from tfsr.images import resize

# Detail is looked for in a reduction to so many pixels a side.
_LOOKED_AT = 512
_LEAST_SIDE = 8


@dataclass(frozen=True)
class Inset:
    """A rectangle of an LR image, in its pixels."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.x},{self.y}"

    def check(self, lr_size: Size) -> None:
        """Refuse what does not lie in an image of (h, w).

        Raises:
            InvalidArgument: then.
        """
        height, width = lr_size
        inside = self.x + self.width <= width and self.y + self.height <= height
        if not inside or min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise InvalidArgument(
                f"--inset X,Y,W,H must lie in the LR image's {width}x{height} pixels; "
                f"got {self.x},{self.y},{self.width},{self.height}"
            )

    def spans(self, lr_size: Size, size: Size) -> tuple[slice, slice]:
        """Its rows and columns where the image of (h, w) is shown as (H, W); none is empty."""
        return (
            _span(self.y, self.height, lr_size[0], size[0]),
            _span(self.x, self.width, lr_size[1], size[1]),
        )


def busiest(image: np.ndarray, longest: int) -> Inset | None:
    """The square with the most detail: which loses most when the image is halved.

    Args:
        image: (h, w, 3) uint8.
        longest: int. The most pixels of its side, which is else a third of the image's shorter
            one, 8 at the least.

    Returns:
        None if the image is no larger than that square.
    """
    height, width = image.shape[:2]
    side = max(_LEAST_SIDE, min(height // 3, width // 3, longest))
    rows, columns = min(side, height), min(side, width)
    if (rows, columns) == (height, width):
        return None
    step = max(1.0, max(height, width) / _LOOKED_AT)
    looked_at = (max(1, round(height / step)), max(1, round(width / step)))
    seen = resize(image, looked_at)
    half = (math.ceil(looked_at[0] / 2), math.ceil(looked_at[1] / 2))
    without = resize(resize(seen, half), looked_at)
    detail = np.abs(seen.astype(np.int32) - without).sum(axis=-1)
    window = [
        min(max(1, round(length / step)), whole)
        for length, whole in zip((rows, columns), looked_at, strict=True)
    ]
    sums = _window_sums(detail, window[0], window[1])
    top, left = np.unravel_index(np.argmax(sums), sums.shape)
    y, x = (round(float(place) * step) for place in (top, left))
    return Inset(min(x, width - columns), min(y, height - rows), columns, rows)


def _span(start: int, length: int, lr: int, hr: int) -> slice:
    first = min(round(start * hr / lr), hr - 1)
    return slice(first, max(first + 1, round((start + length) * hr / lr)))


def _window_sums(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """The sum of every window of that size that lies inside."""
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    down = sums[height:] - sums[:-height]
    return down[:, width:] - down[:, :-width]
