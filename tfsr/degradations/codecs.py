"""Compression: an image is encoded in memory and decoded again, by Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tfsr.degradations import ranges
from tfsr.degradations.levels import byte_levels
from tfsr.degradations.ranges import Range, Rng
from tfsr.degradations.step import SizeState, Step
from tfsr.errors import InvalidArgument
from tfsr.images.formats import FORMATS


@dataclass(frozen=True)
class Jpeg(Step, name="jpeg", main="quality"):
    """Encode as JPEG: 8x8 blocks, and ringing within them.

    Attributes:
        quality: on libjpeg's scale, 1 to 100.
        full_colour: probability of 4:4:4 subsampling instead of 4:2:0.
    """

    quality: Range = ranges.range_field((30, 95), 1, 100, integers=True)
    full_colour: float = ranges.probability_field(0.0)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the quality and the subsampling of colours."""
        quality = ranges.integer(rng, self.quality)
        full_colour = ranges.happens(rng, self.full_colour)
        return {"quality": quality, "subsampling": "4:4:4" if full_colour else "4:2:0"}

    @staticmethod
    def apply(
        image: np.ndarray, rng: Rng, *, quality: int, subsampling: str = "4:2:0"
    ) -> np.ndarray:
        """Encode and decode."""
        return _encode_and_decode(image, "JPEG", quality=quality, subsampling=subsampling)


@dataclass(frozen=True)
class Webp(Step, name="webp", main="quality"):
    """Encode as lossy WebP: smoothed blocks, and colours at half the resolution.

    Attributes:
        quality: on libwebp's scale, 1 to 100.
    """

    quality: Range = ranges.range_field((30, 95), 1, 100, integers=True)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the quality."""
        return {"quality": ranges.integer(rng, self.quality)}

    @staticmethod
    def apply(image: np.ndarray, rng: Rng, *, quality: int) -> np.ndarray:
        """Encode and decode."""
        return _encode_and_decode(image, "WEBP", quality=quality)


def _encode_and_decode(image: np.ndarray, name: str, **options: Any) -> np.ndarray:
    limit = FORMATS[name].max_side
    if max(image.shape) > limit:
        raise InvalidArgument(
            f"must not exceed {limit}, the longest side of a {name}; received {image.shape[:2]}",
            "size",
        )
    encoded = io.BytesIO()
    Image.fromarray(byte_levels(image)).save(encoded, name, **options)
    with Image.open(encoded, formats=[name]) as decoded:
        return np.array(decoded.convert("RGB"))
