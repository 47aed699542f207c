"""Arrays, tensors, Pillow images and files in; the same kind out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from keras import backend, ops
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import DecodedImage, check_writable_format, write_image
from tfsr.images.decoding import decode, from_pillow
from tfsr.images.encoding import to_pillow
from tfsr.images.files import header_of, opened, writing
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.upscale_image import (
    PixelUpscaler,
    crop_or_pad,
    crop_or_pad_pixels,
    opaque_rgb,
    upscale_image,
    with_channels_of,
)

Adapter = Callable[[Any, UpscaleRequest, PixelUpscaler], Any]
"""Upscales an image of its kind as requested."""


def adapter_for(
    image: Any, output: str | os.PathLike[str] | None = None, overwrite: bool = False
) -> Adapter:
    """Return the function that upscales images of this kind; see `Upscaler.upscale`.

    Anything lost in conversion is a warning.

    Args:
        image: an array, a tensor, a Pillow image, or the path of a file.
        output: the file to write for a path.
        overwrite: bool. Whether that may exist already.

    Raises:
        InvalidArgument: if the image is none of these, or `output` goes with something else.
    """
    if not isinstance(output, str | os.PathLike | None):
        raise InvalidArgument(f"must be the path of a file; received {output!r}", "output")
    if isinstance(image, str | os.PathLike):
        return partial(_upscale_file, output=output, overwrite=overwrite)
    if output is not None:
        raise InvalidArgument(
            "applies to the path of a file only; save this output yourself", "output"
        )
    if isinstance(image, Image.Image):
        return _upscale_pillow
    if isinstance(image, np.ndarray):
        return _upscale_array
    if ops.is_tensor(image):
        return _upscale_tensor
    raise InvalidArgument(
        f"must be a NumPy array, a tensor of Keras's backend ({backend.backend()}), a Pillow image "
        f"or the path of a file; received {type(image).__module__}.{type(image).__qualname__}",
        "image",
    )


def _upscale_array(
    pixels: np.ndarray, request: UpscaleRequest, upscaler: PixelUpscaler
) -> np.ndarray:
    pixels = np.asarray(pixels)  # np.matrix is never 3-D.
    shape = pixels.shape
    if not (len(shape) == 2 or (len(shape) in (3, 4) and 1 <= shape[-1] <= 4)) or 0 in shape:
        raise InvalidArgument(
            "an array must be (H, W), (H, W, channels) or (batch, H, W, channels) of 1 to 4 "
            f"channels, not empty; received shape {shape}"
        )
    batch = pixels[None, ..., None] if len(shape) == 2 else pixels.reshape(-1, *shape[-3:])
    rendered, size = request.sizes(batch.shape[1:3], count=len(batch))
    batch = _as_supported_dtype(batch)
    outputs = np.empty((len(batch), *size, batch.shape[3]), pixels.dtype)
    for output, one in zip(outputs, batch, strict=True):
        large = with_channels_of(one, upscaler(opaque_rgb(one), rendered))
        output[...] = crop_or_pad_pixels(large, size)
    return {2: outputs[0, ..., 0], 3: outputs[0], 4: outputs}[len(shape)]


def _as_supported_dtype(pixels: np.ndarray) -> np.ndarray:
    """Pixels as uint8, uint16 or float32, whichever holds them."""
    dtype = pixels.dtype
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return pixels.astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind != "f":
        raise InvalidArgument(f"pixels must be uint8, uint16 or floats in [0, 1]; received {dtype}")
    low, high = pixels.min(), pixels.max()
    if not (0 <= low and high <= 1):  # NaN is neither.
        raise InvalidArgument(
            f"floats must be in [0, 1]; received {low:.4g} to {high:.4g}: divide 8-bit levels by "
            "255, or clip what is a little outside"
        )
    return pixels.astype(np.float32, copy=False)


def _upscale_tensor(tensor: Any, request: UpscaleRequest, upscaler: PixelUpscaler) -> Any:
    dtype = backend.standardize_dtype(tensor.dtype)
    is_float = "float" in dtype  # NumPy has no bfloat16 of its own.
    try:
        pixels = ops.convert_to_numpy(ops.cast(tensor, "float32") if is_float else tensor)
    except NotImplementedError as error:
        raise InvalidArgument(
            "the tensor has no values yet; upscale outside tf.function"
        ) from error
    output = ops.convert_to_tensor(_upscale_array(pixels, request, upscaler))
    return ops.cast(output, dtype) if is_float else output


def _upscale_pillow(
    image: Image.Image, request: UpscaleRequest, upscaler: PixelUpscaler
) -> Image.Image:
    decoded = from_pillow(image, "image")
    rendered, size = request.sizes(decoded.size)
    result = _for_pillow(crop_or_pad(upscale_image(decoded, rendered, upscaler), size))
    _warn("image", result.notes)
    return to_pillow(result)


def _upscale_file(
    source: str | os.PathLike[str],
    request: UpscaleRequest,
    upscaler: PixelUpscaler,
    output: str | os.PathLike[str] | None,
    overwrite: bool,
) -> Image.Image | Path:
    name = os.fspath(source)
    target = None if output is None else Path(output)
    if target is not None:
        _check_target(target, name, overwrite)
    with opened(name) as file:
        header = header_of(file)
        request.check_input(name, header.size)
        request.sizes(header.size, target)
        image = decode(file, name)
    if header.frames > 1:
        image = image.changed(f"the first of its {header.frames} images")
    # Again: some files store their EXIF orientation after the pixels.
    rendered, size = request.sizes(image.size, target)
    result = crop_or_pad(upscale_image(image, rendered, upscaler), size)
    if target is None:
        result = _for_pillow(result)
        _warn(name, result.notes)
        return to_pillow(result)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    lost = write_image(target, result, request.quality, overwrite)
    _warn(name, (*result.notes, *lost))
    return target


def _check_target(target: Path, source: str, overwrite: bool) -> None:
    check_writable_format(target)
    if os.path.lexists(target):
        if os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
            raise ImageError(f"{source}: would be written over itself; choose another output")
        if not overwrite:
            raise ImageError(f"{target}: exists; overwrite=True replaces it")


def _for_pillow(image: DecodedImage) -> DecodedImage:
    """The image as Pillow can hold it."""
    if image.pixels.shape[2] == 1:
        return image
    return image.in_8_bits("Pillow holds 8 of its 16 bits")


def _warn(name: str, notes: tuple[str, ...]) -> None:
    """Warn of what was lost, at the line that called `Upscaler.upscale`."""
    for note in dict.fromkeys(notes):
        warnings.warn(f"{name}: {note}", stacklevel=5)
