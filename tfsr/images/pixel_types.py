"""Images as 8-bit, 16-bit and float arrays: conversion and checks."""

from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument


def to_float(image: np.ndarray) -> np.ndarray:
    """Convert (H, W, 3) uint8 or uint16 to float32 in [0, 1], as models take it.

    Example:
        >>> tfsr.images.to_float(np.full((1, 1, 3), 51, np.uint8)).round(2)
        array([[[0.2, 0.2, 0.2]]], dtype=float32)
    """
    check_rgb(image, np.uint8, np.uint16)
    return image.astype(np.float32) / np.float32(max_level(image.dtype))


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Convert a model's output to 8 bits: clip to [0, 1], round half up.

    The authors' demo programs truncate instead, which darkens an image by half a level on average
    and costs PSNR on the saved file. `tfsr.metrics` truncates where a published protocol does.

    Args:
        image: (H, W, 3) floating point without NaN, unclipped.

    Example:
        >>> tfsr.images.to_uint8(np.array([[[-0.1, 0.5, 1.2]]]))
        array([[[  0, 128, 255]]], dtype=uint8)
    """
    return to_integers(image, np.uint8)


def to_integers(image: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert a model's output to uint8 or uint16, as `to_uint8` does."""
    check_rgb(image, np.float32, np.float16, np.float64)
    if np.isnan(image).any():
        raise InvalidArgument("must not contain NaN", argument="image")
    clipped = np.clip(image.astype(np.float32), 0, 1)
    return np.floor(clipped * np.float32(max_level(dtype)) + np.float32(0.5)).astype(dtype)


def max_level(dtype: Any) -> int:
    """Largest level of a pixel type: 255, 65535, or 1 for floats."""
    return int(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1


def from_levels(levels: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert float levels in [0, `max_level`] to a pixel type: round half up, clip."""
    if np.issubdtype(dtype, np.integer):
        levels = np.floor(levels + np.float32(0.5))
    return np.clip(levels, 0, max_level(dtype)).astype(dtype)


def check_rgb(image: Any, *dtypes: Any) -> None:
    """Raise InvalidArgument unless `image` is a non-empty (H, W, 3) array of one of the types."""
    if isinstance(image, np.ndarray):
        if image.ndim == 3 and image.shape[2] == 3 and image.size and image.dtype in dtypes:
            return
        received = f"{image.dtype} of shape {image.shape}"
    else:
        received = type(image).__name__
    names = " or ".join(np.dtype(dtype).name for dtype in dtypes)
    raise InvalidArgument(
        f"must be a NumPy array (H, W, 3) of {names}; received {received}", argument="image"
    )
