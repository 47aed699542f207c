"""Whole photographs: faces by a model that knows faces, all else by a bicubic filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tfsr.geometry import face_region_from_box, face_region_from_eyes
from tfsr.geometry.face_region import Point
from tfsr.images.face_crops import crop_face, paste_face
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.inference.model_upscaler import ModelUpscaler
from tfsr.inference.target_size import MAX_OUTPUT_PIXELS, TargetSize
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted
from tfsr.models import Bicubic


class PhotographUpscaler(Upscaler):
    """Upscale a photograph by a bicubic filter, and the faces in it by another upscaler.

    A face is cropped upright at the photograph's own resolution, upscaled to the resolution of the
    output, and pasted back, blended towards the edges of its region. Beyond the photograph its
    edge pixels are repeated.

    Args:
        faces: the `Upscaler` of the faces.
        boxes: faces, each (top, left, height, width) in pixels, framed as the training images were.
        eyes: of other faces, each ((row, column), (row, column)) in pixels, integers being pixel
            centres: the left and the right eye as one sees them. The face is rotated and framed as
            for the shipped presets.
        memory: of the bicubic filter, as of `tfsr.load_upscaler`.
        max_output_pixels: int. The most pixels of a face: one that leaves the photograph may have
            more than the output. Defaults to 400 million.

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
        memory: int | str = DEFAULT_MEMORY,
        max_output_pixels: int = MAX_OUTPUT_PIXELS,
    ) -> None:
        self.bit_depth = faces.bit_depth
        self._faces, self._background = faces, ModelUpscaler(Bicubic(), memory)
        self._boxes, self._eyes = boxes, eyes
        self._max_output_pixels = max_output_pixels

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`: one patch, in integers."""
        if image.dtype == np.float32:
            image = converted(image, np.uint16)
        lr_size = image.shape[:2]
        regions = [face_region_from_box(lr_size, box) for box in self._boxes]
        regions += [face_region_from_eyes(lr_size, eyes) for eyes in self._eyes]
        targets = [region.resized(lr_size, size) for region in regions]
        for target in targets:
            # Like any output's size, it is checked before memory is allocated.
            TargetSize(size=target.size).output_size(lr_size, self._max_output_pixels)
        output = self._background(image, size)
        for region, target in zip(regions, targets, strict=True):
            paste_face(output, self._faces(crop_face(image, region), target.size), target)
        yield slice(None), slice(None), output
