"""The whole image as a file, until nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from tfsr.geometry import Tile
from tfsr.images import DecodedImage
from tfsr.images.encoding import encode
from tfsr.images.formats import FORMATS
from tfsr.inference import ModelUpscaler
from tfsr.inference.upscale_image import upscale_image
from tfsr.models import ImplicitSR
from tfsr.rendering import Patch, Renderer


class Stopped(Exception):
    """Nobody waits for the image any more."""


class Downloads:
    """Draws whole images as `tfsr upscale` does, one at a time.

    Args:
        model: whose weights must not change.
    """

    def __init__(self, model: ImplicitSR) -> None:
        self._upscaler = ModelUpscaler(model)
        self._renderer = _Stoppable(self._upscaler.renderer)
        self._upscaler.renderer = self._renderer

    def png(
        self, image: DecodedImage, size: tuple[int, int], stop: threading.Event
    ) -> bytes | memoryview:
        """A PNG file of an image at (H, W), with all that `tfsr upscale` keeps.

        Args:
            image: of any kind.
            size: (H, W).
            stop: set from another thread when nobody waits any more.

        Raises:
            Stopped: soon after that.
        """
        self._renderer.stop = stop
        return encode(upscale_image(image, size, self._upscaler), FORMATS["PNG"])[0]


class _Stoppable:
    """A `Renderer` that can be stopped between two pieces."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.lr_pixels, self.bytes_per_lr_pixel = renderer.lr_pixels, renderer.bytes_per_lr_pixel
        self.input_span = renderer.input_span
        self.stop = threading.Event()

    def render(self, image: Any, window: Tile) -> Iterator[Patch]:
        for piece in self._renderer.render(image, window):
            if self.stop.is_set():
                raise Stopped
            yield piece
