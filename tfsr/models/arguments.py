"""What every model asks of the images and sizes it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry import check_integers, output_size


def image_shape(image: Any) -> tuple[int, ...]:
    """(batch, h, w, 3) of images.

    Raises:
        InvalidArgument: if they have another shape, are empty, or are not floating point.
    """
    shape = tuple(ops.shape(image))
    if len(shape) != 4 or shape[-1] != 3 or 0 in shape:
        raise InvalidArgument(f"image must be (batch, h, w, 3), not empty; got shape {shape}")
    check_floating(image)
    return shape


def check_floating(image: Any) -> None:
    """Refuse 8-bit images, which would be taken for very bright ones.

    Raises:
        InvalidArgument: if the images are not floating point.
    """
    dtype = keras.backend.standardize_dtype(image.dtype)
    if "float" not in dtype:
        raise InvalidArgument(f"image must be floating point in [0, 1]; got {dtype}: divide by 255")


def as_float32(values: Any) -> Any:
    """Convert floating point of another precision to float32; all else stays."""
    dtype = keras.backend.standardize_dtype(values.dtype)
    return ops.cast(values, "float32") if dtype != "float32" and "float" in dtype else values


def output_size_of(image: Any, size: Sequence[int] | None, scale: float | None) -> tuple[int, int]:
    """(H, W) of the output, from exactly one of a size and a scale.

    Raises:
        InvalidArgument: if the image, the size or the scale is invalid, or not exactly one of the
            two is given.
    """
    if (size is None) == (scale is None):
        raise InvalidArgument("give either size=(H, W) or scale=, and not both")
    lr_size = image_shape(image)[1:3]
    if scale is not None:
        return output_size(lr_size, scale)
    height, width = check_integers("size", size, 2)
    if min(height, width) < 1:
        raise InvalidArgument(f"size must be at least 1x1 pixels; got {(height, width)}")
    return height, width
