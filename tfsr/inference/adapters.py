"""What goes in comes out: arrays, tensors, Pillow's images and files."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from keras import backend, ops
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import DecodedImage, check_writable_format, read_image, write_image
from tfsr.images.decoding import from_pillow
from tfsr.images.encoding import to_pillow
from tfsr.images.files import writing
from tfsr.inference.request import Request
from tfsr.inference.upscale_image import Upscale, place, place_pixels, upscale_image, upscale_pixels


def upscale_any(
    image: Any,
    request: Request,
    upscale: Upscale,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Any:
    """The output to an image of any kind; see `tfsr.inference.upscaler.Upscaler.upscale`.

    What a user should know of the output is a warning.

    Args:
        image: an array, a tensor, Pillow's image, or the path of a file.
        request: what is asked of it.
        upscale: an `Upscaler`, or any function of its shape that takes float32 too.
        output: the file to write for a path.
        overwrite: bool. Whether that may be there already.

    Raises:
        InvalidArgument: if it is none of these, or the request is not possible.
        ImageError: if a file cannot be read or written.
    """
    if not isinstance(output, str | os.PathLike | None):
        raise InvalidArgument(f"output must be the path of a file; got {output!r}")
    if isinstance(image, str | os.PathLike):
        return _of_file(Path(image), request, upscale, output, overwrite)
    if output is not None:
        raise InvalidArgument("output goes with the path of a file; save the output yourself")
    if isinstance(image, Image.Image):
        return _of_image(image, request, upscale)
    if isinstance(image, np.ndarray):
        return _of_array(np.asarray(image), request, upscale)  # np.matrix is never 3-D.
    if ops.is_tensor(image):
        return _of_tensor(image, request, upscale)
    raise InvalidArgument(
        "image must be a NumPy array, a tensor of Keras's backend "
        f"({backend.backend()}), Pillow's image or the path of a file; got "
        f"{type(image).__module__}.{type(image).__qualname__}"
    )


def _of_array(pixels: np.ndarray, request: Request, upscale: Upscale) -> np.ndarray:
    shape = pixels.shape
    if not (len(shape) == 2 or (len(shape) in (3, 4) and 1 <= shape[-1] <= 4)) or 0 in shape:
        raise InvalidArgument(
            "an array must be (H, W), (H, W, channels) or (batch, H, W, channels) of 1 to 4 "
            f"channels, not empty; got shape {shape}"
        )
    batch = pixels[None, ..., None] if len(shape) == 2 else pixels.reshape(-1, *shape[-3:])
    drawn, size = request.check_output(batch.shape[1:3], count=len(batch))
    batch = _as_drawn(batch)
    outputs = np.empty((len(batch), *size, batch.shape[3]), pixels.dtype)
    for output, one in zip(outputs, batch, strict=True):
        output[...] = place_pixels(upscale_pixels(one, drawn, upscale), size)
    return {2: outputs[0, ..., 0], 3: outputs[0], 4: outputs}[len(shape)]


def _as_drawn(pixels: np.ndarray) -> np.ndarray:
    """Pixels in a type that a model is given: uint8, uint16 or float32.

    Raises:
        InvalidArgument: if they are of another type, or are floats outside [0, 1].
    """
    kind = pixels.dtype
    if kind.kind == "u" and kind.itemsize <= 2:
        return pixels.astype(kind.newbyteorder("="), copy=False)
    if kind.kind != "f":
        raise InvalidArgument(f"pixels must be uint8, uint16 or floats in [0, 1]; got {kind}")
    least, most = pixels.min(), pixels.max()
    if not (0 <= least and most <= 1):  # NaN is neither.
        raise InvalidArgument(
            f"floats must be in [0, 1]; got {least:.4g} to {most:.4g}: divide 8-bit levels by 255, "
            "or clip what is a little outside"
        )
    return pixels.astype(np.float32, copy=False)


def _of_tensor(tensor: Any, request: Request, upscale: Upscale) -> Any:
    dtype = backend.standardize_dtype(tensor.dtype)
    floats = "float" in dtype  # NumPy has no bfloat16 of its own.
    try:
        pixels = ops.convert_to_numpy(ops.cast(tensor, "float32") if floats else tensor)
    except NotImplementedError as error:
        raise InvalidArgument(
            "the tensor has no values yet; upscale outside tf.function"
        ) from error
    output = ops.convert_to_tensor(_of_array(pixels, request, upscale))
    return ops.cast(output, dtype) if floats else output


def _of_image(image: Image.Image, request: Request, upscale: Upscale) -> Image.Image:
    output = _blend(from_pillow(image, "image"), request, upscale)
    return to_pillow(_told("image", _as_pillow_holds(output)))


def _of_file(
    path: Path,
    request: Request,
    upscale: Upscale,
    output: str | os.PathLike[str] | None,
    overwrite: bool,
) -> Image.Image | Path:
    target = None if output is None else Path(output)
    if target is not None:
        _check_target(target, path, overwrite)
    header = request.header(path)
    request.check_output(header.size, target)
    image = read_image(path)
    if header.frames > 1:
        image = image.changed(f"the first of its {header.frames} images")
    result = _blend(image, request, upscale, target)
    if target is None:
        return to_pillow(_told(str(path), _as_pillow_holds(result)))
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    lost = write_image(target, result, request.quality)
    _told(str(path), replace(result, notes=(*result.notes, *lost)))
    return target


def _check_target(target: Path, source: Path, overwrite: bool) -> None:
    check_writable_format(target)
    if os.path.lexists(target):
        if os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
            raise ImageError(f"{source}: would be written over itself; choose another output")
        if not overwrite:
            raise ImageError(f"{target}: exists; overwrite=True replaces it")


def _blend(
    image: DecodedImage, request: Request, upscale: Upscale, target: Path | None = None
) -> DecodedImage:
    drawn, size = request.check_output(image.size, target)
    return place(upscale_image(image, drawn, upscale), size)


def _as_pillow_holds(image: DecodedImage) -> DecodedImage:
    if image.pixels.shape[2] == 1:
        return image
    return image.in_8_bits("Pillow holds 8 of its 16 bits")


def _told(name: str, image: DecodedImage) -> DecodedImage:
    """The image; its notes are warnings, at the line that called `Upscaler.upscale`."""
    for note in dict.fromkeys(image.notes):
        warnings.warn(f"{name}: {note}", stacklevel=5)
    return image
