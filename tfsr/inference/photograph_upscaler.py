"""Whole photographs: faces by a model that knows faces, all else by another upscaler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tfsr.faces import (
    Face,
    FaceDetector,
    crop_face,
    face_region_from_box,
    face_region_from_eyes,
    find,
    paste_face,
    surrounding_box,
)
from tfsr.faces.detector import get_detector
from tfsr.faces.region import Point
from tfsr.faces.search import MIN_FACE, check_min_face
from tfsr.inference.face_choice import FaceChoice, choose_faces
from tfsr.inference.model_upscaler import ModelUpscaler
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted
from tfsr.models import Bicubic

MAX_FACE = 256
"""Side in pixels of the region of a face above which it needs no help."""


class PhotographUpscaler(Upscaler):
    """Upscale a photograph by one upscaler, and the faces in it by another.

    The pixels around a face are upscaled as they are, neither rotated nor resized: interpolation
    would cost more detail than the models of faces gain from an upright face. The output is pasted
    into that of the photograph, blended along the face's oval, or towards the edges of a box. An
    output that is smaller than the photograph is the background's alone.

    Args:
        faces: the `Upscaler` of the faces.
        boxes: parts of the photograph with a face, each (top, left, height, width) in pixels.
        eyes: of other faces, each ((row, column), (row, column)) in pixels, integers being pixel
            centres: the left and the right eye as one sees them.
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
    antialiases = True  # Its parts do.

    def __init__(
        self,
        faces: Upscaler,
        boxes: Sequence[tuple[int, int, int, int]] = (),
        eyes: Sequence[tuple[Point, Point]] = (),
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

    def choose(self, image: np.ndarray) -> FaceChoice:
        """Choose what of (h, w, 3) pixels is restored.

        Raises:
            InvalidArgument: as `tfsr.faces.find`, or for a place that lies outside the image.
            ImageError: if the detector fails.
        """
        lr_size = image.shape[0], image.shape[1]
        boxes = [face_region_from_box(lr_size, box) for box in self._boxes]
        eyes = [face_region_from_eyes(lr_size, eyes) for eyes in self._eyes]
        return choose_faces(lr_size, self.find(image), boxes, eyes, self._max_face)

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`: one patch, in integers."""
        original = image
        if image.dtype == np.float32:
            image = converted(image, np.uint16)
        lr_size = image.shape[0], image.shape[1]
        choice = self.choose(image).for_output(lr_size, size)
        if choice.whole:
            output = self._faces(original, size)
        else:
            output = self._background(image, size)
        for region in choice.boxes:
            target = region.resized(lr_size, size)
            paste_face(output, self._faces(crop_face(image, region), target.size), target)
        for region in choice.ovals:
            rows, columns, target = surrounding_box(region, lr_size, size)
            face = self._faces(image[slice(*rows), slice(*columns)], target.size)
            paste_face(output, face, target, oval=region.resized(lr_size, size))
        if self._detector is not None:
            self.details = {"faces": choice.records()}
        yield slice(None), slice(None), output
