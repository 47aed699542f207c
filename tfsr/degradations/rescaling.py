"""Resizing as cameras, messengers, browsers and editors do it, with and without antialiasing."""

from typing import Literal

import numpy as np

from tfsr.degradations.levels import byte_levels, float_levels
from tfsr.images import resize as resize_bytes

Method = Literal["area", "bilinear", "bicubic", "nearest"]
METHODS = ("area", "bilinear", "bicubic", "nearest")


def rescale(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    size: tuple[int, int],
    method: Method,
    antialias: bool = True,
    box: tuple[float, float, float, float] | None = None,
) -> np.ndarray:
    """Resize an image, or a region of it.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        size: (H, W) of the result.
        method: str. "area" (the mean of the pixels covered), "bilinear", "bicubic" or "nearest".
        antialias: bool. Whether bilinear and bicubic filters widen where an image becomes smaller.
            True: Pillow's filters, rounded to 8 bits. False: they take the 2 or 4 nearest pixels of
            each axis, as OpenCV and PyTorch do by default (bicubic with a = -0.75), and fine
            detail becomes aliasing.
        box: (top, left, bottom, right) of the region, in pixels, fractions allowed; None: the whole
            image. Filters see what lies around it.

    Returns:
        (h, w, 3), uint8 or float32 levels.
    """
    if box is None and image.shape[:2] == tuple(size):
        return image
    if method in ("nearest", "area") or antialias:
        return resize_bytes(byte_levels(image), size, method, box)
    height, width = image.shape[:2]
    top, left, bottom, right = box or (0, 0, height, width)
    result = _interpolate(float_levels(image), 0, size[0], method, (top, bottom))
    return np.clip(_interpolate(result, 1, size[1], method, (left, right)), 0, 255)


def _interpolate(
    image: np.ndarray, axis: int, side: int, method: str, ends: tuple[float, float]
) -> np.ndarray:
    """Interpolate at `side` centres between two ends of an axis; outside, edges are repeated."""
    count = image.shape[axis]
    start, end = ends
    position = start + (np.arange(side) + 0.5) * (end - start) / side - 0.5
    first = np.floor(position)
    offset = position - first
    weights = _cubic(offset) if method == "bicubic" else (1 - offset, offset)
    # The pixels before the position are as many as those after it.
    taps = range(1 - len(weights) // 2, 1 + len(weights) // 2)
    shape = [-1 if i == axis else 1 for i in range(image.ndim)]
    total = np.float32(0)
    for tap, weight in zip(taps, weights, strict=True):
        index = np.clip(first.astype(int) + tap, 0, count - 1)
        total = total + image.take(index, axis) * weight.astype(np.float32).reshape(shape)
    return np.asarray(total)


def _cubic(t: np.ndarray, a: float = -0.75) -> tuple[np.ndarray, ...]:
    """Weights of the four nearest pixels; `t` is the distance from the second."""

    def near(x: np.ndarray) -> np.ndarray:
        return ((a + 2) * x - (a + 3)) * x**2 + 1

    def far(x: np.ndarray) -> np.ndarray:
        return a * (((x - 5) * x + 8) * x - 4)

    return far(1 + t), near(t), near(1 - t), far(2 - t)
