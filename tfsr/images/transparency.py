"""Transparency through a resizing: no fringe of the colours that nobody saw."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tfsr.images.decoded_image import DecodedImage
from tfsr.images.pixels import from_levels, full_scale


def is_constant(alpha: np.ndarray) -> bool:
    """Whether all of (H, W) is one number."""
    return bool((alpha == alpha[0, 0]).all())


def bleed(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours that go on where the image is transparent.

    A transparent pixel's own colour is whatever a program left there. Once resized, it would shine
    through along the edges. Multiplying by alpha first keeps it out, but shows the model an image
    that darkens towards its edges; so what is transparent is given the colours around it instead,
    weighted by alpha. A pixel as opaque as the most opaque of its neighbours keeps its own colour,
    so that what is half transparent throughout stays as it is.

    Args:
        colours: (H, W, 3) uint8, uint16 or float32, straight.
        alpha: (H, W) of the same type.

    Returns:
        (H, W, 3) of the same type.
    """
    opacity = alpha.astype(np.float32) / np.float32(full_scale(alpha.dtype))
    own = opacity / np.maximum(_greatest_around(opacity), np.float32(1e-9))
    if own.min() == 1:
        return colours
    around = _filled(colours.astype(np.float32), opacity)
    mixed = around + (colours - around) * own[..., None]
    return from_levels(mixed, colours.dtype)


def resize_alpha(alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Alpha of (h, w) by Pillow's bicubic filter to (H, W), of the same type.

    A model trained on photographs has nothing to say about masks, and would cost as much again.
    """
    height, width = size
    smooth = Image.fromarray(alpha.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return from_levels(np.asarray(smooth), alpha.dtype)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 2 or 4) of grey or colours and alpha, laid on a white ground: (H, W, 1 or 3)."""
    white = np.iinfo(pixels.dtype).max
    opacity = pixels[..., -1:].astype(np.float32) / np.float32(white)
    seen = white - (white - pixels[..., :-1].astype(np.float32)) * opacity
    return np.floor(seen + np.float32(0.5)).astype(pixels.dtype)


def seen(image: DecodedImage) -> np.ndarray:
    """(H, W, 3) uint8 of how an image looks: in 8 bits, laid on white where it is transparent."""
    image = image.in_8_bits()
    if image.alpha is not None:
        image = image.changed(pixels=on_white(image.pixels))
    return image.rgb


def _greatest_around(opacity: np.ndarray) -> np.ndarray:
    """The greatest of each pixel's 3x3 neighbourhood."""
    padded = np.pad(opacity, 1)
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:])


def _filled(colours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Means of the colours around each pixel by weight, from as far away as there is any weight.

    Halves the image until one pixel is left, then answers from the finest mean that has a weight
    (pull-push; Gortler et al., The Lumigraph, 1996, section 3.4).
    """
    height, width = weight.shape
    if height == width == 1:
        return colours
    even = ((0, height % 2), (0, width % 2))
    weighted = np.pad(colours * weight[..., None], (*even, (0, 0)))
    total = _sums_of_four(np.pad(weight, even)[..., None])
    means = _sums_of_four(weighted) / np.maximum(total, np.float32(1e-9))
    coarse = total[..., 0]
    filled = np.where(coarse[..., None] > 0, means, 0)
    if (coarse == 0).any():
        outer = _filled(filled, np.minimum(coarse, 1))
        filled = np.where(coarse[..., None] > 0, filled, outer)
    return filled.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def _sums_of_four(values: np.ndarray) -> np.ndarray:
    """Of each square of 2x2 pixels, (H / 2, W / 2, channels)."""
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]
