"""Resizing of 8-bit images, as the papers' data pipelines do it."""

import operator
from typing import Literal

import numpy as np
from PIL import Image

from tfsr.errors import InvalidArgument, check_choice
from tfsr.images.pixel_types import check_rgb

# Pillow's BICUBIC is the antialiased one (the kernel widens with the reduction) with a = -0.5. It
# rounds to 8 bits between its two passes: a float implementation differs by one level at most.
METHODS = {
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
}


def resize(
    image: np.ndarray,
    size: tuple[int, int],
    method: Literal["bicubic", "nearest", "bilinear", "area"] = "bicubic",
    box: tuple[float, float, float, float] | None = None,
) -> np.ndarray:
    """Resize an 8-bit image with Pillow.

    LIIF, LTE and ARASFSR make their LR and HR images with this bicubic filter. DIINN's has the
    same kernel, and differs by one level at most.

    Args:
        image: (H, W, 3) uint8.
        size: (H, W) of the output, in pixels.
        method: str. `"bicubic"`, `"bilinear"` (both antialiased), `"area"` (mean of the pixels
            covered) or `"nearest"`. Defaults to `"bicubic"`.
        box: (top, left, bottom, right) of the region to resize, in pixels, fractions allowed;
            None for the whole image. The output equals that part of the whole resized image, up to
            one level of rounding.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: not an 8-bit RGB image, an impossible size, or an unknown method.

    Example:
        >>> image = tfsr.images.read("photo.jpg")
        >>> tfsr.images.resize(image, (20, 24)).shape
        (20, 24, 3)
    """
    check_rgb(image, np.uint8)
    height, width = check_size(size)
    check_choice("method", method, METHODS)
    if box is not None:
        # A side computed in floats may exceed the image's by an ulp.
        top, left, bottom, right = box
        box = (left, top, min(right, image.shape[1]), min(bottom, image.shape[0]))
    return np.array(Image.fromarray(image).resize((width, height), METHODS[method], box))


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) as two ints of at least 1; anything else is an InvalidArgument."""
    try:
        height, width = (operator.index(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        message = f"must be (height, width), integers of at least 1; received {size!r}"
        raise InvalidArgument(message, "size")
    return height, width
