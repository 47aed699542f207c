"""Cropping of faces, turned upright, and pasting them back into the enlarged image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tfsr.geometry import FaceRegion, cubic_taps
from tfsr.images.pixel_types import from_levels

# Pixels whose positions and neighbours are in memory at once: about 30 MB.
_PIXELS_PER_BAND = 2**17
# Share of the region's half side over which it is blended at each edge.
_FEATHER = 0.2


def crop_face(pixels: np.ndarray, region: FaceRegion) -> np.ndarray:
    """Crop a region of an (h, w, 3) image, turned upright, to `region.size`.

    A box of whole pixels is copied exactly. Beyond the image, its edges are repeated.
    """
    height, width = region.size
    output = np.empty((height, width, 3), pixels.dtype)
    for rows in _bands(0, height, width):
        colours = _interpolate(pixels, *region.positions(rows))
        output[slice(*rows)] = from_levels(colours, pixels.dtype)
    return output


def paste_face(target: np.ndarray, face: np.ndarray, region: FaceRegion) -> None:
    """Paste an upright face into an image, blended towards the region's edges.

    Args:
        target: (H, W, 3) uint8 or uint16, changed in place.
        face: (h, w, 3) of the same type; `region.size` gives one face pixel per target pixel.
        region: in the target's pixels.
    """
    height, width = face.shape[:2]
    (top, bottom), columns = region.spans(target.shape[:2])
    for rows in _bands(top, bottom, columns[1] - columns[0]):
        v, u = region.coordinates(rows, columns)
        opacity = (_feather(v) * _feather(u)).astype(np.float32)[..., None]
        colours = _interpolate(face, (v + 1) * (height / 2) - 0.5, (u + 1) * (width / 2) - 0.5)
        part = target[slice(*rows), slice(*columns)]
        part[...] = from_levels(part + opacity * (colours - part), target.dtype)


def _feather(coordinate: np.ndarray) -> np.ndarray:
    """Opacity: a smoothstep from 1 inside to 0 at the edge and beyond."""
    x = np.clip((1 - np.abs(coordinate)) / _FEATHER, 0, 1)
    return x * x * (3 - 2 * x)


def _interpolate(pixels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Interpolate bicubically at any positions (...): levels (..., 3) float32."""
    row_indices, row_weights = cubic_taps(rows, pixels.shape[0])
    column_indices, column_weights = cubic_taps(columns, pixels.shape[1])
    colours = np.zeros((*rows.shape, 3), np.float32)
    for i, j in product(range(4), repeat=2):
        weights = row_weights[..., i, None] * column_weights[..., j, None]
        colours += weights * pixels[row_indices[..., i], column_indices[..., j]]
    return colours


def _bands(start: int, stop: int, width: int) -> Iterator[tuple[int, int]]:
    count = max(1, _PIXELS_PER_BAND // max(1, width))
    for first in range(start, stop, count):
        yield first, min(first + count, stop)
