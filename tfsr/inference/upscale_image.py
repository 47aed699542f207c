"""Whole images: what a model, which knows RGB alone, does with grey, alpha and other depths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tfsr.images import DecodedImage
from tfsr.images.decoded_image import alpha_of, is_grey, rgb_of
from tfsr.images.transparency import bleed, resize_alpha

Upscale = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""From (h, w, 3) pixels and (H, W) to (H, W, 3) pixels of the same type. Its attribute `depth` says
how many bits a channel it takes; without one it takes 8."""


def upscale_image(image: DecodedImage, size: tuple[int, int], upscale: Upscale) -> DecodedImage:
    """An image at (H, W), of the same kind: channels, depth, profile and EXIF.

    See `upscale_pixels` for what becomes of grey and of alpha.

    Args:
        image: of any kind.
        size: (H, W) of the output.
        upscale: an `Upscaler`, or any function of its shape.
    """
    if image.depth > getattr(upscale, "depth", 8):
        image = image.in_8_bits("the exported model knows 8 bits: 16 were rounded")
    return image.changed(pixels=upscale_pixels(image.pixels, size, upscale))


def upscale_pixels(pixels: np.ndarray, size: tuple[int, int], upscale: Upscale) -> np.ndarray:
    """Pixels at (H, W), of the same channels, type and range.

    Grey is drawn as RGB, and the mean of the three is its output. Alpha is resized by a bicubic
    filter where it is not constant, and colours go on where they are transparent, so that edges
    have no fringe.

    Args:
        pixels: (h, w, 1 to 4) of a type that `upscale` takes; floats are in [0, 1].
        size: (H, W) of the output.
        upscale: an `Upscaler`, or any function of its shape.
    """
    alpha = alpha_of(pixels)
    colours = rgb_of(pixels)
    if alpha is not None and (alpha != alpha[0, 0]).any():
        colours = bleed(colours, alpha)
        large_alpha = resize_alpha(alpha, size)
    elif alpha is not None:
        large_alpha = np.full(size, alpha[0, 0], alpha.dtype)
    output = upscale(colours, size)
    if output.dtype == np.float32:
        output = np.clip(output, 0, 1)  # Whole numbers are in their range already.
    if is_grey(pixels):
        output = _mean(output)
    if alpha is not None:
        output = np.concatenate([output, large_alpha[..., None]], axis=-1)
    return output


def place(image: DecodedImage, size: tuple[int, int]) -> DecodedImage:
    """Put an image in the middle of (H, W); see `place_pixels`."""
    if image.size == size:
        return image
    return image.changed(pixels=place_pixels(image.pixels, size))


def place_pixels(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Put (h, w, channels) in the middle of (H, W).

    What is too large is cut off. What is too small is surrounded by nothing: transparent where
    there is alpha, black where there is none.
    """
    if pixels.shape[:2] == size:
        return pixels
    output = np.zeros((*size, pixels.shape[2]), pixels.dtype)
    (rows, own_rows), (columns, own_columns) = (
        _middle(wanted, given) for wanted, given in zip(size, pixels.shape[:2], strict=True)
    )
    output[rows, columns] = pixels[own_rows, own_columns]
    return output


def _middle(wanted: int, given: int) -> tuple[slice, slice]:
    """Where so many pixels of an axis go in so many others: (there, of these)."""
    length = min(wanted, given)
    there, of_these = (wanted - length) // 2, (given - length) // 2
    return slice(there, there + length), slice(of_these, of_these + length)


def _mean(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1): the mean of three channels, rounded, without a copy in wider numbers."""
    if np.issubdtype(pixels.dtype, np.floating):
        return pixels.mean(axis=-1, keepdims=True)
    output = np.empty((*pixels.shape[:2], 1), pixels.dtype)
    for start in range(0, len(pixels), 256):
        band = slice(start, start + 256)
        output[band, :, 0] = (pixels[band].sum(axis=-1, dtype=np.uint32) + 1) // 3
    return output
