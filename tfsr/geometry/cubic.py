"""Bicubic resizing as one matrix per axis."""

from __future__ import annotations

import numpy as np


def cubic_axis(
    lr: int, hr: int, start: int, stop: int, first: int = 0, last: int | None = None
) -> np.ndarray:
    """Weights of bicubic resizing (a = -0.5, antialiased) along one axis, as in Pillow.

    Args:
        lr: pixels of the image.
        hr: pixels of the output.
        start: first pixel of the output to compute.
        stop: the one after the last.
        first: first available pixel of the image, see `cubic_span`.
        last: the one after the last; all if None.

    Returns:
        (stop - start, last - first) float32, rows of sum 1.
    """
    last = lr if last is None else last
    stretch = max(lr / hr, 1.0)
    centres = (np.arange(start, stop) + 0.5) * (lr / hr)
    lowest, highest = _cubic_support(centres, lr, stretch)
    pixels = np.arange(first, last)
    weights = _kernel((pixels + 0.5 - centres[:, None]) / stretch)
    weights *= (pixels >= lowest[:, None]) & (pixels < highest[:, None])
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def cubic_span(lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
    """First image pixel that output pixels start to stop need, and the one after the last."""
    centres = (np.array([start, stop - 1]) + 0.5) * (lr / hr)
    lowest, highest = _cubic_support(centres, lr, max(lr / hr, 1.0))
    return int(lowest[0]), int(highest[1])


def cubic_taps(positions: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and weights of bicubic interpolation (a = -0.5) at any positions of an axis.

    Args:
        positions: (...) in pixels: integers are pixel centres.
        length: of the axis; its edges are repeated.

    Returns:
        Indices (..., 4) int64, and their weights (..., 4) float32 of sum 1.
    """
    pixels = np.floor(positions).astype(np.int64)[..., None] + np.arange(-1, 3)
    weights = _kernel(pixels - positions[..., None])
    return np.clip(pixels, 0, length - 1), weights.astype(np.float32)


def _kernel(distances: np.ndarray) -> np.ndarray:
    x = np.abs(distances)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _cubic_support(centres: np.ndarray, lr: int, stretch: float) -> tuple[np.ndarray, np.ndarray]:
    lowest = np.maximum((centres - 2 * stretch + 0.5).astype(np.int64), 0)
    return lowest, np.minimum((centres + 2 * stretch + 0.5).astype(np.int64), lr)
