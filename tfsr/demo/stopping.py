"""Work in a thread that another one can stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from tfsr.faces import Face, FaceDetector
from tfsr.inference import Upscaler


class Stopped(Exception):
    """Nobody waits for the work any more."""


class StoppableUpscaler(Upscaler):
    """An upscaler that ends with `Stopped` between two patches."""

    def __init__(self, upscaler: Upscaler, stop: threading.Event) -> None:
        self.kind, self.bit_depth = upscaler.kind, upscaler.bit_depth
        self.antialiases = upscaler.antialiases
        self._upscaler, self._stop = upscaler, stop

    def patches(self, image: np.ndarray, size: tuple[int, int]) -> Iterator[Any]:
        """As `Upscaler.patches`."""
        for patch in self._upscaler.patches(image, size):
            if self._stop.is_set():
                raise Stopped
            yield patch


class StoppableDetector:
    """A face detector that ends with `Stopped` between two tiles."""

    def __init__(self, detector: FaceDetector, stop: threading.Event) -> None:
        self.min_side, self.min_confidence = detector.min_side, detector.min_confidence
        self._detector, self._stop = detector, stop

    def detect(self, image: np.ndarray) -> list[Face]:
        """As `FaceDetector.detect`."""
        if self._stop.is_set():
            raise Stopped
        return self._detector.detect(image)
