"""The whole picture as a file, until nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from tfsr.geometry import Window
from tfsr.images import Picture
from tfsr.images.encoding import encode
from tfsr.images.formats import FORMATS
from tfsr.inference.pictures import upscale_picture
from tfsr.inference.upscaler import Upscaler
from tfsr.models import ImplicitSR
from tfsr.models.painter import Painter, Piece


class Stopped(Exception):
    """Nobody waits for the picture any more."""


class Downloads:
    """Draws whole pictures as `tfsr upscale` does, one at a time.

    Args:
        model: whose weights must not change.
    """

    def __init__(self, model: ImplicitSR) -> None:
        self._upscaler = Upscaler(model)
        self._painter = _Stoppable(self._upscaler.painter)
        self._upscaler.painter = self._painter

    def png(
        self, picture: Picture, size: tuple[int, int], stop: threading.Event
    ) -> bytes | memoryview:
        """A PNG file of a picture at (H, W), with all that `tfsr upscale` keeps.

        Args:
            picture: of any kind.
            size: (H, W).
            stop: set from another thread when nobody waits any more.

        Raises:
            Stopped: soon after that.
        """
        self._painter.stop = stop
        return encode(upscale_picture(picture, size, self._upscaler), FORMATS["PNG"])[0]


class _Stoppable:
    """A `Painter` that can be stopped between two pieces."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self.lr_pixels, self.lr_bytes = painter.lr_pixels, painter.lr_bytes
        self.reach = painter.reach
        self.stop = threading.Event()

    def paint(self, image: Any, window: Window) -> Iterator[Piece]:
        for piece in self._painter.paint(image, window):
            if self.stop.is_set():
                raise Stopped
            yield piece
