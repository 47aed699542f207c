"""Images of 8 and 16 bits to floats and back, and checks that something is one at all."""

from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument


def to_float(image: np.ndarray) -> np.ndarray:
    """Turn an image of 8 or 16 bits into what the models take.

    Args:
        image: (H, W, 3) uint8 or uint16.

    Returns:
        (H, W, 3) float32 in [0, 1], level / 255 or level / 65535.

    Raises:
        InvalidArgument: not an RGB image of 8 or 16 bits.
    """
    check_integers(image)
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Turn what the models answer into an 8-bit image: clip to [0, 1], round half up.

    The authors' demo programs truncate instead, which darkens an image by half a level on average
    and costs PSNR on the saved file. `tfsr.metrics` truncates where a published protocol does.

    Args:
        image: (H, W, 3) floating point, unclipped.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidArgument: not a floating-point RGB image, or it holds NaN.
    """
    return to_integers(image, np.uint8)


def to_integers(image: np.ndarray, dtype: Any) -> np.ndarray:
    """Turn what the models answer into an image of 8 or 16 bits, as `to_uint8` does.

    Args:
        image: (H, W, 3) floating point, unclipped.
        dtype: uint8 or uint16.

    Raises:
        InvalidArgument: not a floating-point RGB image, or it holds NaN.
    """
    check_rgb(image)
    if not np.issubdtype(image.dtype, np.floating):
        raise InvalidArgument(f"image must be floating point in [0, 1]; received {image.dtype}")
    if np.isnan(image).any():
        raise InvalidArgument("image holds NaN; it must hold numbers")
    clipped = np.clip(image.astype(np.float32), 0, 1)
    full = np.float32(np.iinfo(dtype).max)
    return np.floor(clipped * full + np.float32(0.5)).astype(dtype)


def full_scale(dtype: Any) -> int:
    """What stands for all of a colour in pixels of a type: 255, 65535, or 1 where it is floats."""
    return int(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1


def from_levels(levels: np.ndarray, dtype: Any) -> np.ndarray:
    """Make pixels of what was reckoned in floats on their own scale, from 0 to `full_scale`.

    What lies outside is clipped; whole numbers are rounded half up.
    """
    if np.issubdtype(dtype, np.integer):
        levels = np.floor(levels + np.float32(0.5))
    return np.clip(levels, 0, full_scale(dtype)).astype(dtype)


def check_pixels(image: Any) -> None:
    """Raise unless `image` is an (H, W, 3) array of uint8, uint16 or float32, of a pixel or more.

    Raises:
        InvalidArgument: anything else.
    """
    check_rgb(image)
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InvalidArgument(f"image must be uint8, uint16 or float32; received {image.dtype}")


def check_integers(image: Any, name: str = "image") -> None:
    """Raise unless `image` is an (H, W, 3) array of uint8 or uint16, of at least one pixel.

    Raises:
        InvalidArgument: anything else.
    """
    check_rgb(image, name)
    if image.dtype not in (np.uint8, np.uint16):
        raise InvalidArgument(f"{name} must be uint8 or uint16; received {image.dtype}")


def check_uint8(image: Any, name: str = "image") -> None:
    """Raise unless `image` is an (H, W, 3) uint8 array of at least one pixel.

    Args:
        image: what was received.
        name: str. What the message calls it. Defaults to `"image"`.

    Raises:
        InvalidArgument: anything else.
    """
    check_rgb(image, name)
    if image.dtype != np.uint8:
        raise InvalidArgument(f"{name} must be uint8; received {image.dtype}")


def check_rgb(image: Any, name: str = "image") -> None:
    """Raise unless `image` is an (H, W, 3) array, of any dtype, of at least one pixel.

    Args:
        image: what was received.
        name: str. What the message calls it. Defaults to `"image"`.

    Raises:
        InvalidArgument: anything else.
    """
    if not isinstance(image, np.ndarray):
        raise InvalidArgument(
            f"{name} must be a NumPy array of shape (H, W, 3); received {type(image).__name__}"
        )
    if image.ndim != 3 or image.shape[-1] != 3 or image.size == 0:
        raise InvalidArgument(f"{name} must have shape (H, W, 3); received {image.shape}")
