"""The search for faces, which an image survives whatever happens."""

from __future__ import annotations

import threading

from tfsr.demo.stopping import StoppableDetector, Stopped
from tfsr.errors import ImageError, InvalidArgument
from tfsr.faces import FaceDetector
from tfsr.faces.detector import get_detector
from tfsr.images import DecodedImage
from tfsr.inference import BicubicUpscaler, PhotographUpscaler
from tfsr.inference.face_choice import FaceChoice
from tfsr.inference.photograph_upscaler import MAX_FACE
from tfsr.inference.upscale_image import opaque_rgb

_WHOLE = FaceChoice(whole=True)


class FaceSearch:
    """Chooses the faces of an image that are restored, as `PhotographUpscaler` does.

    Args:
        detector: as of `PhotographUpscaler`. Without one that is installed, images are restored as
            a whole.
    """

    def __init__(self, detector: str | FaceDetector = "mtcnn") -> None:
        self._detector: FaceDetector | None = None
        self._missing = ""
        try:
            self._detector = get_detector(detector)
        except InvalidArgument as error:
            self._missing = str(error)

    def choose(self, image: DecodedImage, stop: threading.Event) -> tuple[FaceChoice, str]:
        """Return what of an image is restored, and a note for the user, or "".

        Where faces cannot be found, it is the image as a whole.

        Raises:
            Stopped: if `stop` was set.
        """
        if self._detector is None:
            return _WHOLE, f"{self._missing}. The whole image is restored"
        detector = StoppableDetector(self._detector, stop)
        try:
            chooser = PhotographUpscaler(BicubicUpscaler(), detector=detector)
            choice = chooser.choose(opaque_rgb(image.pixels))
        except ImageError as error:
            if stop.is_set():
                raise Stopped from error
            return _WHOLE, f"{error}. The whole image is restored"
        return choice, _note(choice)


def _note(choice: FaceChoice) -> str:
    """Why an image is shown without restored faces, or ""."""
    if any(choice.restored):
        return ""
    if choice.faces:
        return f"faces larger than {MAX_FACE} pixels are left as they are"
    return "no faces were found"
