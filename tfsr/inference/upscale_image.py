"""Whole images: grey, alpha and bit depths around an upscaler of RGB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tfsr.images import DecodedImage
from tfsr.images.decoded_image import alpha_of, is_grey, rgb_of
from tfsr.images.transparency import bleed, resize_alpha

Size = tuple[int, int]


class PixelUpscaler(Protocol):
    """The part of an `Upscaler` that whole images need."""

    bit_depth: int
    details: Mapping[str, Any]

    def __call__(self, image: np.ndarray, size: Size) -> np.ndarray:
        """Upscale (h, w, 3) pixels to (H, W, 3) of the same dtype."""


def upscale_image(image: DecodedImage, size: Size, upscaler: PixelUpscaler) -> DecodedImage:
    """Upscale an image to (H, W); channels, bit depth, ICC profile and EXIF are preserved.

    Grey is upscaled as RGB, of which the mean is taken. Alpha is resized by a bicubic filter where
    it is not constant, and colours are extended where they are transparent, so edges have no
    fringe.

    Args:
        image: of any kind.
        size: (H, W) of the output.
        upscaler: an `Upscaler`.
    """
    image = at_depth_of(upscaler, image)
    output = upscaler(opaque_rgb(image.pixels), size)
    return image.changed(pixels=with_channels_of(image.pixels, output))


def at_depth_of(upscaler: PixelUpscaler, image: DecodedImage) -> DecodedImage:
    """Return an image with 8 bits a channel if the upscaler preserves no more."""
    if image.depth <= upscaler.bit_depth:
        return image
    return image.in_8_bits("the exported model supports 8 bits only; 16 bits were rounded")


def opaque_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return the RGB of (h, w, 1 to 4) pixels, extended where they are transparent."""
    alpha = alpha_of(pixels)
    colours = rgb_of(pixels)
    return colours if alpha is None or (alpha == alpha[0, 0]).all() else bleed(colours, alpha)


def with_channels_of(pixels: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the output with the channels of what it was upscaled from.

    Args:
        pixels: (h, w, 1 to 4), what was upscaled.
        output: (H, W, 3) of the same dtype. Floats are clipped.
    """
    if output.dtype == np.float32:
        output = np.clip(output, 0, 1)
    if is_grey(pixels):
        output = _mean(output)
    alpha = alpha_of(pixels)
    if alpha is None:
        return output
    size = output.shape[0], output.shape[1]
    if (alpha == alpha[0, 0]).all():
        alpha = np.full(size, alpha[0, 0], alpha.dtype)
    else:
        alpha = resize_alpha(alpha, size)
    return np.concatenate([output, alpha[..., None]], axis=-1)


def crop_or_pad(image: DecodedImage, size: Size) -> DecodedImage:
    """Centre an image in (H, W); see `crop_or_pad_pixels`."""
    return (
        image
        if image.size == size
        else image.changed(pixels=crop_or_pad_pixels(image.pixels, size))
    )


def crop_or_pad_pixels(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Centre (h, w, channels) in (H, W): crop the rest, or pad with zeros."""
    if pixels.shape[:2] == size:
        return pixels
    output = np.zeros((*size, pixels.shape[2]), pixels.dtype)
    (rows, own_rows), (columns, own_columns) = map(_centred, size, pixels.shape[:2])
    output[rows, columns] = pixels[own_rows, own_columns]
    return output


def _centred(target: int, source: int) -> tuple[slice, slice]:
    """The spans of an axis that correspond: in the target, in the source."""
    length = min(target, source)
    first, own_first = (target - length) // 2, (source - length) // 2
    return slice(first, first + length), slice(own_first, own_first + length)


def _mean(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1): the mean of three channels, rounded, in bands to bound the memory."""
    if np.issubdtype(pixels.dtype, np.floating):
        return pixels.mean(axis=-1, keepdims=True)
    output = np.empty((*pixels.shape[:2], 1), pixels.dtype)
    for start in range(0, len(pixels), 256):
        band = slice(start, start + 256)
        output[band, :, 0] = (pixels[band].sum(axis=-1, dtype=np.uint32) + 1) // 3
    return output
