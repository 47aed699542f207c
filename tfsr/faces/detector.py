"""The protocol of face detectors, and those that are known by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np

from tfsr.errors import InvalidArgument, check_choice
from tfsr.faces.face import Face


class FaceDetector(Protocol):
    """What finds faces in an image of moderate size; `tfsr.faces.find` does the rest.

    Attributes:
        min_side: height in pixels of the smallest faces that are found reliably.
        min_confidence: faces of less confidence are left out.

    Example:
        >>> class Nobody:
        ...     min_side, min_confidence = 20, 0.5
        ...     def detect(self, image):
        ...         return []
        >>> tfsr.faces.find(np.zeros((64, 64, 3), np.uint8), detector=Nobody())
        []
    """

    min_side: int
    min_confidence: float

    def detect(self, image: np.ndarray) -> list[Face]:
        """Find the faces in (h, w, 3) uint8 pixels."""


@cache
def _mtcnn() -> FaceDetector:
    try:
        from tfsr.faces.mtcnn_detector import MTCNNDetector
    except ImportError as error:
        raise InvalidArgument(
            f"faces cannot be found without {error.name}; install it with pip install 'tfsr[faces]'"
        ) from error
    return MTCNNDetector()


def get_detector(detector: str | FaceDetector) -> FaceDetector:
    """Return the detector of a name, loaded; one that is given is returned as it is.

    Raises:
        InvalidArgument: if the name is unknown, or the detector is not installed.
    """
    if not isinstance(detector, str):
        return detector
    check_choice("detector", detector, sorted(DETECTORS))
    return DETECTORS[detector]()


DETECTORS: dict[str, Callable[[], FaceDetector]] = {"mtcnn": _mtcnn}
"""Detectors by name. Each is loaded once."""
