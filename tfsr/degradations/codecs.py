"""Compression: an image is encoded in memory and decoded again, by Pillow."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tfsr.degradations.levels import byte_levels
from tfsr.errors import InvalidArgument
from tfsr.images.formats import FORMATS

SUBSAMPLING = ("4:2:0", "4:4:4")


def jpeg(
    image: np.ndarray, rng: np.random.Generator, *, quality: int, subsampling: str = "4:2:0"
) -> np.ndarray:
    """Encode as JPEG: 8x8 blocks, and ringing within them.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        quality: int. On libjpeg's scale, 1 to 100.
        subsampling: str. Of the colours: "4:2:0" halves their resolution, "4:4:4" does not.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: an image that is too large for the format.
    """
    return _encoded(image, "JPEG", quality=quality, subsampling=subsampling)


def webp(image: np.ndarray, rng: np.random.Generator, *, quality: int) -> np.ndarray:
    """Encode as lossy WebP: smoothed blocks, and colours at half the resolution.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        quality: int. On libwebp's scale, 1 to 100.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: an image that is too large for the format.
    """
    return _encoded(image, "WEBP", quality=quality)


def _encoded(image: np.ndarray, name: str, **options: Any) -> np.ndarray:
    limit = FORMATS[name].max_side
    if max(image.shape) > limit:
        raise InvalidArgument(
            f"size must not exceed {limit}, the longest side of a {name}; received "
            f"{image.shape[:2]}"
        )
    encoded = io.BytesIO()
    Image.fromarray(byte_levels(image)).save(encoded, name, **options)
    with Image.open(encoded, formats=[name]) as decoded:
        return np.array(decoded.convert("RGB"))
