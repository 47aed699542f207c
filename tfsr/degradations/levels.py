"""The two forms an image has between degradations: 8-bit levels and float32 levels."""

import numpy as np


def float_levels(image: np.ndarray) -> np.ndarray:
    """Return an image as float32 levels.

    Args:
        image: (H, W, 3) uint8 or float32, 0 to 255.

    Returns:
        (H, W, 3) float32, 0 to 255; the argument itself where it is that already.
    """
    return image if image.dtype == np.float32 else image.astype(np.float32)


def byte_levels(image: np.ndarray) -> np.ndarray:
    """Return an image as a file holds it: rounded to the nearest of 256 levels.

    Args:
        image: (H, W, 3) uint8, or float32 levels, which are clipped to 0 to 255.

    Returns:
        (H, W, 3) uint8; the argument itself where it is that already.
    """
    if image.dtype == np.uint8:
        return image
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def luma(image: np.ndarray) -> np.ndarray:
    """Return the grey levels of an image, (H, W, 1) float32, by the weights of ITU-R BT.601."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return (float_levels(image) @ weights)[..., None]
