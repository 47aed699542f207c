"""Faces of all sizes in images of all sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tfsr.errors import ImageError, InvalidArgument
from tfsr.faces.detector import FaceDetector, get_detector
from tfsr.faces.face import Face
from tfsr.images import resize
from tfsr.images.pixel_types import check_rgb

# Sides of what a detector sees at once, in pixels: memory and time stay bounded.
_TILE = 1024
# Factor between the reduced sizes that are searched one after the other.
_STEP = 4.0
# Boxes that overlap more, as a share of the smaller one, are one face.
_SAME_FACE = 0.5
# Images are enlarged to find smaller faces than the detector does; this bounds by how much.
_SMALLEST = 10
# Detectors put a face's box up to a fifth lower than it is from forehead to chin.
_LOWER = 0.8
MIN_FACE = 24
"""Height in pixels of the smallest faces that are searched."""


def find(
    image: np.ndarray, *, min_face: int = MIN_FACE, detector: str | FaceDetector = "mtcnn"
) -> list[Face]:
    """Find the faces in an image.

    An image whose longer side is above 1,024 pixels is searched at a reduced size first, then at
    larger ones in overlapping tiles for the smaller faces. The result is a function of the
    arguments alone.

    Args:
        image: (h, w, 3) uint8.
        min_face: height in pixels of the smallest faces, from forehead to chin, at least 10. Their
            boxes may be a fifth lower. Defaults to 24.
        detector: a name of `DETECTORS`, or a `FaceDetector`. "mtcnn" needs
            `pip install 'tfsr[faces]'`.

    Returns:
        The faces, the largest first.

    Raises:
        InvalidArgument: not an 8-bit RGB image, an impossible `min_face`, an unknown detector, or
            one that is not installed.
        ImageError: if the detector fails.

    Example:
        >>> tfsr.faces.find(tfsr.images.read("photo.jpg"))
        []
    """
    check_rgb(image, np.uint8)
    check_min_face(min_face)
    detector = get_detector(detector)
    candidates: list[Face] = []
    for scale, overlap in _levels(image.shape, min_face, detector.min_side):
        candidates += _search(image, scale, overlap, detector)
    wanted = (
        face
        for face in candidates
        if face.confidence >= detector.min_confidence and face.box[2] >= _LOWER * min_face
    )
    return _distinct(sorted(wanted, key=lambda face: (-face.confidence, face.box)))


def check_min_face(min_face: int) -> None:
    """Raise InvalidArgument if faces of this height cannot be searched."""
    if not min_face >= _SMALLEST:
        raise InvalidArgument(f"must be at least {_SMALLEST}; received {min_face!r}", "min_face")


def _levels(shape: Sequence[int], min_face: int, min_side: int) -> Iterator[tuple[float, int]]:
    """Factors of reduction, the largest first, and the overlap of tiles in reduced pixels.

    The smallest faces that one level finds are the largest ones that the next one has to.
    """
    # The level that enlarges the smallest faces to what the detector finds.
    last = min(1.0, min_face / min_side)
    scale = max(last, max(shape[:2]) / _TILE)
    found = math.inf
    while True:
        overlap = 0 if math.isinf(found) else math.ceil(2 * found / scale)
        yield scale, overlap
        found = min_side * scale
        if scale <= last or found <= min_face:
            return
        scale = max(last, scale / _STEP)


def _search(
    image: np.ndarray, scale: float, overlap: int, detector: FaceDetector
) -> Iterator[Face]:
    """Search an image at one size, tile by tile."""
    height, width = image.shape[:2]
    size = max(1, round(height / scale)), max(1, round(width / scale))
    factors = height / size[0], width / size[1]
    for top, bottom in _spans(size[0], overlap):
        for left, right in _spans(size[1], overlap):
            tile = (bottom - top, right - left)
            box = (
                top * factors[0],
                left * factors[1],
                bottom * factors[0],
                right * factors[1],
            )
            pixels = image if tile == image.shape[:2] else resize(image, tile, box=box)
            try:
                found = detector.detect(pixels)
            except Exception as error:  # Of whatever kind: it is not ours.
                reason = " ".join(str(error).split()) or type(error).__name__
                raise ImageError(f"the face detector failed: {reason[:200]}") from error
            yield from (face.moved(box[0], box[1], factors) for face in found)


def _spans(length: int, overlap: int) -> list[tuple[int, int]]:
    """Overlapping spans of at most a tile that cover an axis evenly."""
    count = 1 if length <= _TILE else math.ceil((length - overlap) / (_TILE - overlap))
    side = math.ceil((length + (count - 1) * overlap) / count)
    starts = [i * (length - side) // max(1, count - 1) for i in range(count)]
    return [(start, start + side) for start in starts]


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """The faces that are not a less certain finding of another one, the largest first."""
    kept: list[Face] = []
    for face in faces:
        if all(_shared(face.box, other.box) < _SAME_FACE for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: (-face.box[2], face.box))


def _shared(first: Sequence[float], second: Sequence[float]) -> float:
    """Area that two boxes share, as a part of the smaller one."""
    sides = [
        min(first[i] + first[i + 2], second[i] + second[i + 2]) - max(first[i], second[i])
        for i in (0, 1)
    ]
    if min(sides) <= 0:
        return 0.0
    return sides[0] * sides[1] / min(first[2] * first[3], second[2] * second[3])
