"""Images as 8-bit, 16-bit and float arrays: conversion and checks."""

from collections.abc import Sequence
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
    check_array("image", image, dtypes, channels=(3,))


def check_array(argument: str, value: Any, dtypes: Sequence[Any], channels: Sequence[int]) -> None:
    """Raise InvalidArgument unless a value is a non-empty (H, W, channels) array of a type."""
    received = type(value).__name__
    if isinstance(value, np.ndarray):
        if value.dtype in dtypes and value.ndim == 3 and value.shape[2] in channels and value.size:
            return
        received = f"{value.dtype} of shape {value.shape}"
    names = " or ".join(np.dtype(dtype).name for dtype in dtypes)
    last = " or ".join(map(str, channels))
    message = f"must be a NumPy array (H, W, {last}) of {names}; received {received}"
    raise InvalidArgument(message, argument)
