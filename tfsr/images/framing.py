"""A part of an image cut out upright, and laid back into the enlarged image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tfsr.geometry import FaceRegion, cubic_taps

# Pixels whose positions and neighbours are held at once: about 30 MB.
_PIXELS_PER_BAND = 2**17

# How much of a frame is blended on each side: a tenth of it.
_FEATHER = 0.2


def cut(pixels: np.ndarray, frame: FaceRegion) -> np.ndarray:
    """A frame's image, upright, in pixels as large as the image's own.

    Args:
        pixels: (h, w, 3) uint8 or uint16. Beyond them their edges are repeated.
        frame: in these pixels.

    Returns:
        (H, W, 3) of the same type, H and W being `frame.size`. Where the frame is a box of whole
        pixels, it is these pixels.
    """
    height, width = frame.size
    output = np.empty((height, width, 3), pixels.dtype)
    for rows in _bands(0, height, width):
        colours = _interpolated(pixels, *frame.positions(rows))
        output[slice(*rows)] = _rounded(colours, pixels.dtype)
    return output


def lay(target: np.ndarray, image: np.ndarray, frame: FaceRegion) -> None:
    """Lay an image of a frame over another one, blended towards the frame's edges.

    Args:
        target: (H, W, 3) uint8 or uint16, changed where the frame is.
        image: (h, w, 3) of the same type, of `frame.size` so that it is seen pixel by pixel.
        frame: in the target's pixels.
    """
    height, width = image.shape[:2]
    (top, bottom), columns = frame.spans(target.shape[:2])
    for rows in _bands(top, bottom, columns[1] - columns[0]):
        v, u = frame.coordinates(rows, columns)
        share = (_share(v) * _share(u)).astype(np.float32)[..., None]
        colours = _interpolated(image, (v + 1) * (height / 2) - 0.5, (u + 1) * (width / 2) - 0.5)
        part = target[slice(*rows), slice(*columns)]
        part[...] = _rounded(part + share * (colours - part), target.dtype)


def _share(coordinate: np.ndarray) -> np.ndarray:
    """1 inside, 0 from the edge on, and in between a curve that is level at both ends."""
    x = np.clip((1 - np.abs(coordinate)) / _FEATHER, 0, 1)
    return x * x * (3 - 2 * x)


def _interpolated(pixels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bicubic interpolation at any positions (...): levels (..., 3) float32."""
    row_indices, row_weights = cubic_taps(rows, pixels.shape[0])
    column_indices, column_weights = cubic_taps(columns, pixels.shape[1])
    colours = np.zeros((*rows.shape, 3), np.float32)
    for i, j in product(range(4), repeat=2):
        weights = row_weights[..., i, None] * column_weights[..., j, None]
        colours += weights * pixels[row_indices[..., i], column_indices[..., j]]
    return colours


def _rounded(levels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.clip(np.floor(levels + np.float32(0.5)), 0, np.iinfo(dtype).max).astype(dtype)


def _bands(start: int, stop: int, width: int) -> Iterator[tuple[int, int]]:
    count = max(1, _PIXELS_PER_BAND // max(1, width))
    for first in range(start, stop, count):
        yield first, min(first + count, stop)
