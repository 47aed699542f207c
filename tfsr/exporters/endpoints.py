"""The functions of a served model, for images and sizes that vary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfsr.models import ImplicitSR
from tfsr.rendering.mapped import render_mapped
from tfsr.rendering.maps import denormalize

# Queries decoded together: they bound the memory of an image of any size.
_QUERIES = 16384

# Up to here integers are exact in float32, and coordinates those of the published code.
_LONGEST_SIDE = 2**24

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# Signature, length and type of the first chunk, its 13 bytes and checksum.
_PNG_HEADER = 33
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)
_BIG_ENDIAN = np.array([2**24, 2**16, 2**8, 1], np.int64)


@dataclass(frozen=True)
class ServingLimits:
    """Limits of a request, all its images together.

    Attributes:
        input_pixels: pixels of the input.
        output_pixels: pixels of the output.
    """

    input_pixels: int
    output_pixels: int


class Endpoints:
    """The functions of a served model.

    Each checks its sizes and limits before any work is done: an `Assert`
    whose first line is the message.

    Args:
        model: the model, in float32.
        limits: of a request.
    """

    def __init__(self, model: ImplicitSR, limits: ServingLimits) -> None:
        self.model = model
        self.limits = limits
        self.channels = int(model.encode(tf.zeros((1, 1, 1, 3))).shape[-1])

    def functions(self) -> dict[str, Any]:
        """Each signature's name and its traced function."""
        uint8 = tf.TensorSpec((None, None, None, 3), tf.uint8, "image")
        image = tf.TensorSpec((None, None, None, 3), tf.float32, "image")
        latent = tf.TensorSpec((None, None, None, self.channels), tf.float32, "latent")
        image_bytes = tf.TensorSpec(None, tf.string, "image_bytes")
        size = tf.TensorSpec((2,), tf.int32, "size")
        window = tf.TensorSpec((4,), tf.int32, "window")

        def traced(function: Callable[..., Any], *specs: tf.TensorSpec) -> Any:
            return tf.function(function, input_signature=specs, autograph=False)

        return {
            "serving_default": traced(self.upscale_uint8, uint8, size),
            "upscale_float": traced(self.upscale_float, image, size),
            "encode": traced(self.encode, image),
            "render": traced(self.render, latent, size, window),
            "upscale_bytes": traced(self.upscale_bytes, image_bytes, size),
        }

    def upscale_uint8(self, image, size):
        """(batch, h, w, 3) uint8 to "output", (batch, H, W, 3) uint8, H and W being `size`."""
        image, size = _after(self._checks(image, size), image, size)
        return {"output": self._upscaled(_to_float(image), size, _to_uint8)}

    def upscale_float(self, image, size):
        """(batch, h, w, 3) in [0, 1] to "output", (batch, H, W, 3) in [0, 1]."""
        image, size = _after(self._checks(image, size), image, size)
        return {"output": self._upscaled(image, size, _clipped)}

    def encode(self, image):
        """(batch, h, w, 3) in [0, 1] to "latent", (batch, h, w, channels)."""
        (image,) = _after(self._input_checks(image), image)
        return {"latent": self.model.encode(image)}

    def render(self, latent, size, window):
        """A window of the output of a latent: "output", (batch, height, width, 3) in [0, 1].

        Args:
            latent: (batch, h, w, channels), from `encode`.
            size: (H, W) of the whole output.
            window: (top, left, height, width) of it.
        """
        checks = [*self._input_checks(latent), *_side_checks(size), *_window_checks(size, window)]
        checks += self._output_checks(tf.shape(latent)[0], window[2:])
        latent, size, window = _after(checks, latent, size, window)
        (latent,) = _after(_reduction_checks(latent, size), latent)
        return {"output": self._rendered(latent, size, window, _clipped)}

    def upscale_bytes(self, image_bytes, size):
        """JPEG or PNG files to "output_bytes", PNG files of one size.

        Args:
            image_bytes: one file's bytes, or those of several in a list.
            size: (H, W) of the outputs.
        """
        files = tf.reshape(image_bytes, (-1,))
        checks = [*_side_checks(size), *self._output_checks(tf.size(files), size)]
        # Headers are read, and their pixels added up, before anything is decoded.
        files, size = _after(checks, files, size)
        sizes = tf.map_fn(_size_of_file, files, fn_output_signature=tf.int64)
        files, size = _after([self._input_check(_pixels(sizes), sizes)], files, size)

        def upscaled(file):
            image = self._upscaled(_to_float(_decoded(file)[None]), size, _to_uint8)
            return tf.io.encode_png(image[0])

        outputs = tf.map_fn(upscaled, files, parallel_iterations=1)
        return {"output_bytes": tf.reshape(outputs, tf.shape(image_bytes))}

    def _upscaled(self, image, size, finish):
        # After the other checks, whose messages say more where both fail.
        (image,) = _after(_reduction_checks(image, size), image)
        return self._rendered(self.model.encode(image), size, tf.concat([[0, 0], size], 0), finish)

    def _rendered(self, latent, size, window, finish):
        """Render a window patch by patch."""
        dtype = tf.uint8 if finish is _to_uint8 else tf.float32
        signature = tf.TensorSpec((None, None, None, 3), dtype)

        def map_patches(patch, numbers):
            return tf.map_fn(
                lambda number: finish(denormalize(patch(number))),
                numbers,
                fn_output_signature=signature,
                parallel_iterations=1,
            )

        return render_mapped(self.model.decoder, latent, size, window, _QUERIES, map_patches)

    def _checks(self, image, size):
        checks = [*self._input_checks(image), *_side_checks(size)]
        return checks + self._output_checks(tf.shape(image)[0], size)

    def _input_checks(self, image):
        shape = tf.shape(image)
        return [
            _refuse(tf.reduce_min(shape) < 1, "image must not be empty; its shape is", shape),
            self._input_check(_pixels(shape[None, 1:3]) * tf.cast(shape[0], tf.int64), shape),
        ]

    def _input_check(self, pixels, received):
        most = self.limits.input_pixels
        return _refuse(pixels > most, f"more than {most} pixels to upscale:", received)

    def _output_checks(self, batch, size):
        most = self.limits.output_pixels
        pixels = _pixels(size[None]) * tf.cast(batch, tf.int64)
        return [_refuse(pixels > most, f"more than {most} pixels in the output:", size)]


def _after(checks, *tensors):
    """The same tensors, after the checks."""
    with tf.control_dependencies(checks):
        return [tf.identity(tensor) for tensor in tensors]


def _refuse(condition, message: str, received):
    """An operation that fails with one line if the condition holds."""
    return tf.debugging.Assert(tf.logical_not(condition), [message, received], summarize=64)


def _side_checks(size, name: str = "size"):
    wrong = tf.reduce_any((size < 1) | (size > _LONGEST_SIDE))
    message = f"{name} must be (height, width), each from 1 to {_LONGEST_SIDE}; received"
    return [_refuse(wrong, message, size)]


def _reduction_checks(image, size):
    wrong = tf.reduce_any(size < tf.shape(image)[1:3])
    message = "size must not be smaller than the input: a model does not reduce; received"
    return [_refuse(wrong, message, size)]


def _window_checks(size, window):
    start, extent = window[:2], window[2:]
    # Not start + extent, which could exceed the numbers there are.
    wrong = tf.reduce_any((start < 0) | (extent < 1) | (extent > size) | (start > size - extent))
    message = "window (top, left, height, width) must lie inside the output; received"
    return [_refuse(wrong, message, window)]


def _pixels(sizes):
    """How many pixels images of (n, 2) sizes have together."""
    sizes = tf.cast(sizes, tf.int64)
    return tf.reduce_sum(sizes[:, 0] * sizes[:, 1])


def _clipped(colours):
    return tf.clip_by_value(colours, 0.0, 1.0)


def _to_float(image):
    """Level / 255, looked up: TensorFlow would multiply by the rounded 1 / 255 instead."""
    return tf.gather(_LEVELS, tf.cast(image, tf.int32))


def _to_uint8(colours):
    """Rounded half up, as `tfsr.images.to_uint8` does."""
    return tf.cast(tf.floor(_clipped(colours) * 255.0 + 0.5), tf.uint8)


def _is_png(file):
    return _begins(file, _PNG + b"\0\0\0\rIHDR", _PNG_HEADER)


def _begins(file, prefix: bytes, length: int):
    """Whether a file has so many bytes at least, and begins with the prefix."""
    # Padded, because a substring must begin and end inside.
    begin = tf.strings.substr(tf.strings.join([file, bytes(len(prefix))]), 0, len(prefix))
    return (begin == prefix) & (tf.strings.length(file) >= length)


def _size_of_file(file):
    """(h, w) of a JPEG or a PNG of 8 bits, from its header."""
    png = _is_png(file)
    known = png | _begins(file, _JPEG, len(_JPEG))
    check = _refuse(~known, "an image must be a JPEG or a PNG; bytes:", tf.strings.length(file))
    (file,) = _after([check], file)
    size = tf.cond(png, lambda: _size_of_png(file), lambda: _size_of_jpeg(file))
    (size,) = _after(_side_checks(size, "size of an image"), size)
    return size


def _size_of_png(file):
    header = tf.cast(tf.io.decode_raw(tf.strings.substr(file, 16, 9), tf.uint8), tf.int64)
    width, height = (tf.tensordot(side, _BIG_ENDIAN, 1) for side in (header[:4], header[4:8]))
    check = _refuse(header[8] != 8, "a PNG must have 8 bits a channel; it has", header[8])
    (size,) = _after([check], tf.stack([height, width]))
    return size


def _size_of_jpeg(file):
    return tf.image.extract_jpeg_shape(file, output_type=tf.int64)[:2]


def _decoded(file):
    """(h, w, 3) uint8 of a JPEG or PNG. Alpha is dropped, and EXIF not looked at."""
    return tf.cond(
        _is_png(file),
        lambda: tf.io.decode_png(file, channels=3),
        # As Pillow decodes it.
        lambda: tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE"),
    )
