"""Whole photographs: faces by a model that knows faces, all else by another upscaler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from tfsr.faces import (
    Face,
    FaceDetector,
    FaceRegion,
    crop_face,
    face_region_from_box,
    face_region_from_eyes,
    find,
    paste_face,
)
from tfsr.faces.detector import get_detector
from tfsr.faces.region import Point
from tfsr.faces.search import MIN_FACE, check_min_face
from tfsr.inference.model_upscaler import ModelUpscaler
from tfsr.inference.target_size import MAX_OUTPUT_PIXELS, TargetSize
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted
from tfsr.models import Bicubic

MAX_FACE = 256
"""Side in pixels of the region of a face above which it needs no help."""

# An aligned crop: the centre and the side of its only face's region differ from the image's by less
# than these parts of a side. Of 100 faces of 40 to 256 pixels, the largest were 0.03 and 0.15.
_CROP_CENTRE, _CROP_SIDE = 0.05, 0.2


class PhotographUpscaler(Upscaler):
    """Upscale a photograph by one upscaler, and the faces in it by another.

    A face is cropped upright at the photograph's own resolution, upscaled to the resolution of the
    output, and pasted back, blended towards the edges of its region, or, if it was found, along its
    oval. Beyond the photograph its edge pixels are repeated.

    Args:
        faces: the `Upscaler` of the faces.
        boxes: faces, each (top, left, height, width) in pixels, framed as the training images were.
        eyes: of other faces, each ((row, column), (row, column)) in pixels, integers being pixel
            centres: the left and the right eye as one sees them. The face is rotated and framed as
            for the shipped presets.
        max_output_pixels: int. The most pixels of a face: one that leaves the photograph may have
            more than the output. Defaults to 400 million.
        background: the `Upscaler` of all else. Defaults to a bicubic filter.
        detector: finds further faces: a name of `tfsr.faces.DETECTORS` or a
            `tfsr.faces.FaceDetector`. An image that is an aligned crop of one face is upscaled as a
            whole by `faces`. Defaults to None: no search.
        min_face: int. Height in pixels of the smallest faces that are searched. Defaults to 24.
        max_face: int. Side in pixels of the region of a found face above which it is left to the
            background. Defaults to 256.

    Attributes:
        details: "faces", those that were found in the last image: "box" [x, y, width, height] and
            "eyes" [x1, y1, x2, y2] in pixels, "confidence", and whether it was "restored".

    Example:
        >>> photograph = tfsr.inference.PhotographUpscaler(
        ...     tfsr.load_upscaler("bicubic"), boxes=[(20, 30, 40, 32)]
        ... )
        >>> photograph.upscale("photo.jpg", scale=2).size
        (192, 160)
    """

    kind = "photograph pipeline"

    def __init__(
        self,
        faces: Upscaler,
        boxes: Sequence[tuple[int, int, int, int]] = (),
        eyes: Sequence[tuple[Point, Point]] = (),
        max_output_pixels: int = MAX_OUTPUT_PIXELS,
        *,
        background: Upscaler | None = None,
        detector: str | FaceDetector | None = None,
        min_face: int = MIN_FACE,
        max_face: int = MAX_FACE,
    ) -> None:
        self._faces = faces
        self._background = background or ModelUpscaler(Bicubic())
        self.bit_depth = min(faces.bit_depth, self._background.bit_depth)
        self._boxes, self._eyes = boxes, eyes
        self._max_output_pixels = max_output_pixels
        check_min_face(min_face)
        # Loaded now: one that is not installed is reported before any image is read.
        self._detector = None if detector is None else get_detector(detector)
        self._min_face, self._max_face = min_face, max_face

    def find(self, image: np.ndarray) -> list[Face]:
        """Find the faces of (h, w, 3) pixels, as the search of this upscaler does.

        Raises:
            InvalidArgument: as `tfsr.faces.find`.
        """
        if self._detector is None:
            return []
        pixels = converted(image, np.uint8)
        return find(pixels, min_face=self._min_face, detector=self._detector)

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`: one patch, in integers."""
        original = image
        if image.dtype == np.float32:
            image = converted(image, np.uint16)
        lr_size = image.shape[:2]
        given = [face_region_from_box(lr_size, box) for box in self._boxes]
        given += [face_region_from_eyes(lr_size, eyes) for eyes in self._eyes]
        faces = self.find(image)
        if not given and len(faces) == 1 and _is_whole(faces[0].region, lr_size):
            self.details = {"faces": [{**faces[0].record(), "restored": True}]}
            yield slice(None), slice(None), self._faces(original, size)
            return
        restored = [self._needs_help(face.region, given) for face in faces]
        found = list(compress((face.region for face in faces), restored))
        regions = [(region, False) for region in given] + [(region, True) for region in found]
        targets = [region.resized(lr_size, size) for region, _ in regions]
        for target in targets:
            # Like any output's size, it is checked before memory is allocated.
            TargetSize(size=target.size).output_size(lr_size, self._max_output_pixels)
        output = self._background(image, size)
        for (region, oval), target in zip(regions, targets, strict=True):
            face = self._faces(crop_face(image, region), target.size)
            paste_face(output, face, target, oval)
        if self._detector is not None:
            records = zip(faces, restored, strict=True)
            self.details = {"faces": [{**face.record(), "restored": r} for face, r in records]}
        yield slice(None), slice(None), output

    def _needs_help(self, region: FaceRegion, given: Sequence[FaceRegion]) -> bool:
        """Whether a found face is small, and none of those that were given."""
        if region.size[0] > self._max_face:
            return False
        return not any(_holds(other, region.centre) for other in given)


def _is_whole(region: FaceRegion, size: Sequence[int]) -> bool:
    """Whether an image is a crop of this face, framed as the training images are."""
    largest = max(size)
    centred = all(
        abs(centre - (side - 1) / 2) <= _CROP_CENTRE * largest
        for centre, side in zip(region.centre, size, strict=True)
    )
    return centred and all(abs(region.size[0] - side) <= _CROP_SIDE * largest for side in size)


def _holds(region: FaceRegion, point: Point) -> bool:
    """Whether a point of the image lies in the inner half of a region."""
    span = [(round(value), round(value) + 1) for value in point]
    v, u = region.coordinates(span[0], span[1])
    return bool(abs(v[0, 0]) < 0.5 and abs(u[0, 0]) < 0.5)
