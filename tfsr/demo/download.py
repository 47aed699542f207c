"""The whole output of an image as a file, by a thread that can be stopped."""

from __future__ import annotations

import threading

import numpy as np

from tfsr.demo.restorers import Restorer
from tfsr.demo.stopping import StoppableUpscaler
from tfsr.images import DecodedImage
from tfsr.images.encoding import encode
from tfsr.images.formats import FORMATS
from tfsr.inference import PhotographUpscaler
from tfsr.inference.face_choice import FaceChoice
from tfsr.inference.upscale_image import upscale_image


def whole_png(
    image: DecodedImage,
    size: tuple[int, int],
    choice: FaceChoice,
    restorer: Restorer,
    stop: threading.Event,
) -> bytes | memoryview:
    """Restore an image as `tfsr upscale --faces auto` does: a PNG file.

    Args:
        image: of any kind.
        size: (H, W) of the output.
        choice: what of the image is restored.
        restorer: what restores it.
        stop: set when nobody waits any more.

    Raises:
        Stopped: if `stop` was set.
    """
    faces, background = (
        StoppableUpscaler(upscaler, stop) for upscaler in (restorer.faces, restorer.background)
    )
    upscaler = _Chosen(faces, background=background)
    upscaler.choice = choice
    return encode(upscale_image(image, size, upscaler), FORMATS["PNG"])[0]


class _Chosen(PhotographUpscaler):
    """A photograph pipeline whose faces are known."""

    choice: FaceChoice

    def choose(self, image: np.ndarray) -> FaceChoice:
        return self.choice
