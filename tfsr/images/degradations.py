"""How the LR picture is made from the original: the degradations the papers train and test on."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.images.formats import FORMATS
from tfsr.images.resizing import check_size, resize

Degradation = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


def bicubic(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Reduce a picture with Pillow's antialiased bicubic filter.

    Args:
        image: (H, W, 3) uint8, the HR picture.
        size: (H, W) of the LR picture.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: not an 8-bit RGB picture, or an impossible size.
    """
    return resize(image, size, "bicubic")


def nearest_jpeg(image: np.ndarray, size: tuple[int, int], quality: int = 65) -> np.ndarray:
    """Reduce a picture to its nearest pixels and pass it through JPEG: aliased, blocky, realistic.

    The reduction must start from the original (in the paper, the 1024 x 1024 face), not from the HR
    picture that the model is compared with: the HR picture is a bicubic reduction of the same
    original. All JPEG settings but the quality are Pillow's defaults (4:2:0 chroma, standard
    tables), as in the authors' script.

    Args:
        image: (H, W, 3) uint8, the original.
        size: (H, W) of the LR picture.
        quality: int. JPEG quality on Pillow's scale, 1 to 95. Defaults to 65.

    Returns:
        (H, W, 3) uint8, decoded.

    Raises:
        InvalidArgument: not an 8-bit RGB picture, an impossible size or quality.

    Reference:
        CelebAHQ-NN-JPEG in ARASFSR, https://github.com/nycu-acm/ARASFSR (load/resize_nn65.py)
    """
    if not 1 <= quality <= 95:
        raise InvalidArgument(f"quality must be between 1 and 95; received {quality!r}")
    limit = FORMATS["JPEG"].max_side
    if max(check_size(size)) > limit:
        raise InvalidArgument(
            f"size must not exceed {limit}, the longest side of a JPEG; received {size}"
        )
    encoded = io.BytesIO()
    Image.fromarray(resize(image, size, "nearest")).save(encoded, "JPEG", quality=quality)
    with Image.open(encoded, formats=["JPEG"]) as picture:
        return np.array(picture)


DEGRADATIONS: dict[str, Degradation] = {"bicubic": bicubic, "nn65": nearest_jpeg}


def get(name: str) -> Degradation:
    """Look a degradation up by the name recipes use.

    Args:
        name: str. `"bicubic"`, or `"nn65"` for `nearest_jpeg` at quality 65.

    Returns:
        A function of (image, size) that answers the LR picture.

    Raises:
        InvalidArgument: unknown name.
    """
    if name not in DEGRADATIONS:
        raise InvalidArgument(
            f"degradation must be one of {', '.join(DEGRADATIONS)}; received {name!r}."
            + did_you_mean(str(name), DEGRADATIONS)
        )
    return DEGRADATIONS[name]
