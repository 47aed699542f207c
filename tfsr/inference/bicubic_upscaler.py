"""Pillow's bicubic filter as an `Upscaler`: the baseline of every table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfsr.images import resize
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted


class BicubicUpscaler(Upscaler):
    """Resize by Pillow's bicubic filter, which computes in 8 bits.

    Example:
        >>> upscaler = tfsr.inference.BicubicUpscaler()
        >>> upscaler(np.full((4, 6, 3), 7, np.uint8), (10, 15)).max()
        np.uint8(7)
    """

    kind = "Pillow's bicubic filter"
    rounds = True
    antialiases = True

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`."""
        yield slice(None), slice(None), resize(converted(image, np.uint8), size, "bicubic")
