"""What every model asks of the images and sizes it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from tfsr.backend import is_traced
from tfsr.errors import InvalidArgument
from tfsr.geometry import check_integers, output_size

_ANY_KIND = "tfsr.upscale(image, preset=model, scale=2) takes images of any kind"


def image_shape(image: Any) -> tuple[int, ...]:
    """(batch, h, w, 3) of images.

    Raises:
        InvalidArgument: if they have another shape, are empty, are not floating point, or have a
            size that is not known while a function is compiled.
    """
    check_images(image)
    shape = tuple(ops.shape(image))
    if not all(isinstance(side, int) for side in shape[1:]):
        raise InvalidArgument(
            f"image must have a known size inside a compiled function; received {image.shape}: "
            "tfsr.exporters.saved_model makes functions of images of any size"
        )
    return shape


def check_images(image: Any) -> None:
    """Refuse what is no batch of RGB images, or is not floating point.

    Raises:
        InvalidArgument: as `image_shape`, but for a size that is not known.
    """
    if not hasattr(image, "shape") or not hasattr(image, "dtype"):
        raise InvalidArgument(
            f"must be an array (batch, h, w, 3); received {type(image).__name__}: {_ANY_KIND}",
            "image",
        )
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[-1] not in (3, None) or 0 in shape:
        raise InvalidArgument(
            f"must be (batch, h, w, 3), not empty; received shape {shape}: {_ANY_KIND}", "image"
        )
    check_floating(image)


def check_range(name: str, values: Any) -> None:
    """Refuse floats of 0 to 255, unless a function is being compiled.

    Raises:
        InvalidArgument: if a value is larger than 2: models overshoot 1 a little.
    """
    if not is_traced(values) and (largest := float(ops.max(values))) > 2:
        raise InvalidArgument(
            f"must be in [0, 1]; its largest value is {largest:.4g}: divide by 255", name
        )


def check_floating(image: Any) -> None:
    """Refuse 8-bit images, which would be taken for very bright ones.

    Raises:
        InvalidArgument: if the images are not floating point.
    """
    dtype = keras.backend.standardize_dtype(image.dtype)
    if "float" not in dtype:
        raise InvalidArgument(
            f"must be floating point in [0, 1]; received {dtype}: divide by 255", "image"
        )


def check_inputs(model: str, takes_images: bool, inputs: Any) -> None:
    """Check what a model is called with, whose class is named `model`.

    Raises:
        InvalidArgument: for an image alone where points are needed, inputs that are missing, and
            integer images.
    """
    if not takes_images and not isinstance(inputs, Mapping):
        raise InvalidArgument(
            f"{model} computes colours of points: it is called with a mapping of image, "
            "coordinates and cell; model.upscale(image, scale=4) upscales images, "
            "model.fit(small, large) trains"
        )
    if isinstance(inputs, Mapping):
        lattice = {"rows", "columns"} if "rows" in inputs else {"coordinates"}
        needed = {"image"} if takes_images else {"image", "cell", *lattice}
        if missing := sorted(needed - set(inputs)):
            raise InvalidArgument(
                f"inputs of {model} need {', '.join(sorted(needed))}; missing: {', '.join(missing)}"
            )
        inputs = inputs["image"]
    if hasattr(inputs, "dtype"):
        check_images(inputs)


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
    check_range("image", image)
    if scale is not None:
        return output_size(lr_size, scale)
    if isinstance(size, int | float):
        raise InvalidArgument(f"must be (H, W); received {size}: a factor is scale={size}", "size")
    height, width = check_integers("size", size, 2)
    if min(height, width) < 1:
        raise InvalidArgument(f"size must be at least 1x1 pixels; got {(height, width)}")
    return height, width
