"""Resizing of 8-bit images, as the papers' data pipelines do it."""

import operator
from typing import Literal

import numpy as np
from PIL import Image

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.images.pixels import check_uint8

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

    Bicubic is what LIIF, LTE and ARASFSR make their LR and HR images with. DIINN resizes a
    uint8 tensor with the same kernel instead; the two differ by one grey level at most.

    Args:
        image: (H, W, 3) uint8.
        size: (H, W) of the output, in pixels.
        method: str. `"bicubic"` (antialiased, a = -0.5), `"bilinear"` (antialiased), `"area"` (the
            mean of the pixels covered) or `"nearest"`. Defaults to `"bicubic"`.
        box: (top, left, bottom, right) of the region that is resized, in pixels, fractions allowed;
            None for the whole image. The filter sees the pixels around it: the result is that part
            of the whole image's, but for one level where a value lies between two.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: not an 8-bit RGB image, an impossible size, or an unknown method.
    """
    check_uint8(image)
    height, width = check_size(size)
    if method not in METHODS:
        raise InvalidArgument(
            f"method must be one of {', '.join(METHODS)}; received {method!r}."
            + did_you_mean(str(method), METHODS)
        )
    if box is not None:
        # A side computed in floats may pass the image's by an ulp.
        top, left, bottom, right = box
        box = (left, top, min(right, image.shape[1]), min(bottom, image.shape[0]))
    return np.array(Image.fromarray(image).resize((width, height), METHODS[method], box))


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return `size` as two plain ints.

    Args:
        size: (H, W), whole numbers of at least 1.

    Returns:
        (H, W).

    Raises:
        InvalidArgument: anything else.
    """
    try:
        height, width = (operator.index(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise InvalidArgument(
            f"size must be (height, width), whole numbers of at least 1; received {size!r}"
        )
    return height, width
