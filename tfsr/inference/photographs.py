"""Whole photographs: faces by a model that knows faces, all else by a bicubic filter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfsr.geometry import face_region_from_box, face_region_from_eyes
from tfsr.geometry.face_region import Point
from tfsr.images.face_crops import crop_face, paste_face
from tfsr.images.pixel_types import check_rgb
from tfsr.images.resizing import check_size
from tfsr.inference.sizes import MAX_OUTPUT_PIXELS, TargetSize
from tfsr.inference.upscale_image import Upscale
from tfsr.inference.upscaler import DEFAULT_MEMORY, Upscaler
from tfsr.models import Bicubic


class PhotographUpscaler:
    """Upscales a photograph by a bicubic filter, and the faces in it by what knows faces.

    A face is cut out upright in the photograph's own resolution, upscaled to the resolution of the
    answer, and laid back where it was, blended towards the edges of its frame. What is cut from
    beyond the photograph repeats its edge.

    It has the shape of an `Upscaler`, so all that takes one takes it too.

    Args:
        upscale: for the faces: an `Upscaler`, or any function of its shape.
        boxes: of faces, each (top, left, height, width) in pixels. The model sees the box as it is:
            it should be framed as the model's training images were.
        eyes: of other faces, each ((row, column), (row, column)) in pixels, whole numbers being
            pixel centres: the left and the right eye, as one sees them. The face is turned and
            framed as the shipped presets were trained.
        memory: int. Bytes for the bicubic filter to work in. Defaults to 2 GiB.
        max_output: int. The most pixels of a face: one that leaves the photograph may have more
            than the output. Defaults to 400 million.
    """

    def __init__(
        self,
        upscale: Upscale,
        boxes: Sequence[tuple[int, int, int, int]] = (),
        eyes: Sequence[tuple[Point, Point]] = (),
        memory: int = DEFAULT_MEMORY,
        max_output: int = MAX_OUTPUT_PIXELS,
    ) -> None:
        self.depth: int = getattr(upscale, "depth", 8)
        self._upscale = upscale
        self._background = Upscaler(Bicubic(), memory)
        self._boxes, self._eyes = boxes, eyes
        self._max_output = max_output

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 or uint16 to (H, W, 3) of the same type, H and W being `size`.

        Raises:
            InvalidArgument: as what upscales; or a face does not lie in the image, is too small,
                or would have too many pixels.
        """
        check_rgb(image, np.uint8, np.uint16)
        size = check_size(size)
        lr_size = image.shape[:2]
        frames = [face_region_from_box(lr_size, box) for box in self._boxes]
        frames += [face_region_from_eyes(lr_size, eyes) for eyes in self._eyes]
        large_frames = [frame.resized(lr_size, size) for frame in frames]
        for large in large_frames:
            # As any output's size is: checked before memory is taken.
            TargetSize(size=large.size).of(lr_size, self._max_output)
        output = self._background(image, size)
        for frame, large in zip(frames, large_frames, strict=True):
            paste_face(output, self._upscale(crop_face(image, frame), large.size), large)
        return output
