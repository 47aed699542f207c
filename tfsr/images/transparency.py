"""Alpha: colours under transparent pixels, resizing, and flattening on white."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tfsr.images.decoded_image import DecodedImage
from tfsr.images.pixel_types import from_levels, max_level


def bleed(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Replace the colours of transparent pixels by those around them (alpha bleeding).

    The colour of a transparent pixel is arbitrary and would show as a fringe after resizing.
    Multiplying by alpha removes the fringe, but gives the model an image that darkens towards its
    edges. A pixel as opaque as the most opaque of its neighbours keeps its colour, so an image of
    constant opacity does not change. Colours (H, W, 3) and alpha (H, W) are of one type.
    """
    opacity = alpha.astype(np.float32) / np.float32(max_level(alpha.dtype))
    padded = np.pad(opacity, 1)
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    most = np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:])
    own = opacity / np.maximum(most, np.float32(1e-9))
    if own.min() == 1:
        return colours
    around = _fill(colours.astype(np.float32), opacity)
    mixed = around + (colours - around) * own[..., None]
    return from_levels(mixed, colours.dtype)


def resize_alpha(alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (h, w) alpha to (H, W) by Pillow's bicubic filter: models are not trained on masks."""
    smooth = Image.fromarray(alpha.astype(np.float32))
    resized = smooth.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return from_levels(np.asarray(resized), alpha.dtype)


def composite_on_white(pixels: np.ndarray) -> np.ndarray:
    """Composite (H, W, 2 or 4) grey or colours with alpha on white: (H, W, 1 or 3)."""
    white = max_level(pixels.dtype)
    opacity = pixels[..., -1:].astype(np.float32) / np.float32(white)
    levels = white - (white - pixels[..., :-1].astype(np.float32)) * opacity
    return from_levels(levels, pixels.dtype)


def flatten(image: DecodedImage) -> np.ndarray:
    """(H, W, 3) uint8 of an image as it is displayed: 8 bits, on white where transparent."""
    image = image.in_8_bits()
    if image.alpha is not None:
        image = image.changed(pixels=composite_on_white(image.pixels))
    return image.rgb


def _fill(colours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means of the colours around each pixel, from as far away as necessary.

    Halves the image down to one pixel, then takes the finest mean with any weight (pull-push;
    Gortler et al., The Lumigraph, 1996, section 3.4).
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
        outer = _fill(filled, np.minimum(coarse, 1))
        filled = np.where(coarse[..., None] > 0, filled, outer)
    return filled.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def _sums_of_four(values: np.ndarray) -> np.ndarray:
    """Sums over squares of 2x2 pixels: (H / 2, W / 2, channels)."""
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]
