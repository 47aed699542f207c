"""Cropping of faces, turned upright, and pasting them back into the enlarged image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from tfsr.faces.face import Face
from tfsr.faces.region import FaceRegion
from tfsr.geometry import cubic_taps
from tfsr.geometry.tiles import Span
from tfsr.images.pixel_types import from_levels
from tfsr.images.resizing import check_size

# Pixels whose positions and neighbours are in memory at once: about 30 MB.
_PIXELS_PER_BAND = 2**17
# Share of the region's half side over which it is blended at each edge.
_FEATHER = 0.2
# Half height and half width of the ellipse that a found face is blended in, and how much wider the
# blend ends, in halves of the region's side. MTCNN's boxes are 0.77 high and 0.56 wide.
_ELLIPSE, _FADE = (0.85, 0.7), 1.3


def crop_face(
    pixels: np.ndarray, region: FaceRegion, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Crop a region of an (h, w, 3) image, turned upright.

    Beyond the image, its edges are repeated.

    Args:
        pixels: (h, w, 3) uint8 or uint16.
        region: in pixels of the image.
        size: (H, W) of the crop. A reduction is antialiased: each pixel is the mean of several
            that are interpolated. Defaults to `region.size`, at which a box of whole pixels is
            copied exactly.

    Returns:
        (H, W, 3) of the same dtype.

    Raises:
        InvalidArgument: an impossible size.

    Example:
        >>> image = tfsr.images.read("photo.jpg")
        >>> region = tfsr.faces.face_region_from_box((80, 96), (8, 8, 24, 32))
        >>> tfsr.faces.crop_face(image, region).shape
        (24, 32, 3)
        >>> tfsr.faces.crop_face(image, region, (9, 12)).shape
        (9, 12, 3)
    """
    height, width = region.size if size is None else check_size(size)
    down, across = (math.ceil(a / b) for a, b in zip(region.size, (height, width), strict=True))
    output = np.empty((height, width, 3), pixels.dtype)
    for first, last in _bands(0, height, width * down * across):
        positions = region.positions((first * down, last * down), (height * down, width * across))
        colours = _interpolate(pixels, *positions)
        colours = colours.reshape(last - first, down, width, across, 3).mean(axis=(1, 3))
        output[first:last] = from_levels(colours, pixels.dtype)
    return output


def align(image: np.ndarray, face: Face, side: int | None = None) -> tuple[np.ndarray, FaceRegion]:
    """Crop a face that was found, upright and framed as the face presets expect it.

    Args:
        image: (h, w, 3) uint8 or uint16.
        face: from `find`.
        side: int. Of the crop in pixels; a reduction is antialiased. Defaults to None: that of the
            face in the image.

    Returns:
        The crop, (side, side, 3) of the same dtype, and its region, for `paste_face`.

    Raises:
        InvalidArgument: an impossible side.

    Example:
        >>> face = tfsr.faces.Face(
        ...     (20, 30, 50, 36), 0.99, ((40, 40), (40, 56), (49, 48), (57, 40), (57, 56))
        ... )
        >>> crop, region = tfsr.faces.align(tfsr.images.read("photo.jpg"), face)
        >>> crop.shape, region.size
        ((64, 64, 3), (64, 64))
    """
    size = None if side is None else (side, side)
    return crop_face(image, face.region, size), face.region


def paste_face(
    target: np.ndarray,
    face: np.ndarray,
    region: FaceRegion,
    oval: FaceRegion | None = None,
    part: tuple[Span, Span] | None = None,
) -> None:
    """Paste a face into an image, blended towards the edges of its region or of an oval.

    Args:
        target: (H, W, 3) uint8 or uint16, changed in place.
        face: (h, w, 3) of the same type; `region.size` gives one face pixel per target pixel. Where
            the region's edges are edges of pixels, it is copied without interpolation.
        region: of `face`, in the target's pixels.
        oval: region of the face whose oval is blended; it may be rotated. Defaults to None: the
            blend follows the edges of `region`.
        part: the rows and columns that `face` has of a face of `region.size` pixels, at least those
            of `pasted_part`. Defaults to all.

    Example:
        >>> image = np.zeros((40, 40, 3), np.uint8)
        >>> region = tfsr.faces.face_region_from_box((40, 40), (8, 8, 24, 24))
        >>> tfsr.faces.paste_face(image, np.full((24, 24, 3), 200, np.uint8), region)
        >>> image[20, 20].tolist(), image[4, 4].tolist()
        ([200, 200, 200], [0, 0, 0])
    """
    height, width = face.shape[:2] if part is None else region.size
    first_row, first_column = (0, 0) if part is None else (part[0][0], part[1][0])
    (top, bottom), columns = region.spans(target.shape[:2])
    for rows in _bands(top, bottom, columns[1] - columns[0]):
        v, u = region.coordinates(rows, columns)
        if oval is None:
            opacity = _feather(v) * _feather(u)
        else:
            inside = (np.abs(v) <= 1) & (np.abs(u) <= 1)
            opacity = inside * oval_opacity(oval, rows, columns)
        opacity = opacity.astype(np.float32)[..., None]
        positions = (v + 1) * (height / 2) - 0.5, (u + 1) * (width / 2) - 0.5
        colours = _interpolate(face, positions[0] - first_row, positions[1] - first_column)
        pasted = target[slice(*rows), slice(*columns)]
        pasted[...] = from_levels(pasted + opacity * (colours - pasted), target.dtype)


def pasted_part(size: Sequence[int], region: FaceRegion) -> tuple[Span, Span] | None:
    """Rows and columns of a face that can be seen once it is pasted into a target.

    Args:
        size: (H, W) of the target, such as a tile of an image.
        region: in the target's pixels.

    Returns:
        Rows and columns of the face of `region.size` pixels, with those that interpolation reads;
        None if none of it can be seen.

    Example:
        >>> region = tfsr.faces.face_region_from_box((200, 200), (20, 30, 80, 80))
        >>> tfsr.faces.pasted_part((40, 200), region)
        ((0, 22), (0, 80))
    """
    corners = list(product(*((first, last - 1) for first, last in region.spans(size))))
    places = [region.coordinates((row, row + 1), (column, column + 1)) for row, column in corners]
    spans = []
    for axis, length in enumerate(region.size):
        positions = [(float(place[axis][0, 0]) + 1) * (length / 2) - 0.5 for place in places]
        first = max(0, math.floor(min(positions)) - 1)
        spans.append((first, min(length, math.floor(max(positions)) + 3)))
    (rows, columns) = spans
    inside = all(first < last for first, last in (*region.spans(size), rows, columns))
    return (rows, columns) if inside else None


def oval_opacity(region: FaceRegion, rows: Span, columns: Span) -> np.ndarray:
    """How much of a pasted face is visible at some pixels, in [0, 1]."""
    v, u = region.coordinates(rows, columns)
    distance = np.hypot(v / _ELLIPSE[0], u / _ELLIPSE[1])
    return _feather(v) * _feather(u) * _smoothstep((_FADE - distance) / (_FADE - 1))


def _feather(coordinate: np.ndarray) -> np.ndarray:
    """Opacity: a smoothstep from 1 inside to 0 at the edge and beyond."""
    return _smoothstep((1 - np.abs(coordinate)) / _FEATHER)


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
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
