"""Channels of an array of pixels: one is grey, two grey and alpha, three RGB, four RGB and alpha.

Alpha is straight: colours are not multiplied by it.
"""

from __future__ import annotations

import numpy as np


def is_grey(pixels: np.ndarray) -> bool:
    """Whether (H, W, channels) has one channel beside alpha."""
    return pixels.shape[-1] < 3


def alpha_of(pixels: np.ndarray) -> np.ndarray | None:
    """(H, W) of how opaque the pixels of (H, W, channels) are, or None."""
    return pixels[..., -1] if pixels.shape[-1] in (2, 4) else None


def rgb_of(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) of the colours, alpha left aside: what is transparent shows its own colour."""
    colours = pixels[..., : 1 if is_grey(pixels) else 3]
    return np.repeat(colours, 3, axis=2) if is_grey(pixels) else np.ascontiguousarray(colours)
