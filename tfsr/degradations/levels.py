"""The two forms of an image between degradations: 8-bit levels and float32 levels of 0 to 255."""

import numpy as np


def float_levels(image: np.ndarray) -> np.ndarray:
    """Return an image as float32 levels."""
    return image if image.dtype == np.float32 else image.astype(np.float32)


def byte_levels(image: np.ndarray) -> np.ndarray:
    """Return an image as 8-bit levels: rounded to nearest, clipped to 0 to 255."""
    if image.dtype == np.uint8:
        return image
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def luma(image: np.ndarray) -> np.ndarray:
    """Return the grey levels of an image, (H, W, 1) float32, by the weights of ITU-R BT.601."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return (float_levels(image) @ weights)[..., None]
