"""An image with the metadata of its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfsr.images.metadata import Metadata
from tfsr.images.pixel_types import check_array


@dataclass(frozen=True)
class DecodedImage:
    """Pixels and the metadata that travels with them from file to file.

    Attributes:
        pixels: (H, W, channels) uint8 or uint16, upright. Channels are grey, grey and alpha, RGB,
            or RGB and alpha. Alpha is straight: colours are not multiplied by it.
        profile: the ICC profile, or None.
        exif: the EXIF block without orientation, or None.
        metadata: resolution, XMP, IPTC and texts.
        notes: changes made on reading or converting, for the user.

    Example:
        >>> image = tfsr.images.DecodedImage(np.zeros((4, 6, 2), np.uint16))
        >>> image.size, image.depth, image.is_grey
        ((4, 6), 16, True)
    """

    pixels: np.ndarray
    profile: bytes | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()
    metadata: Metadata = Metadata()

    def __post_init__(self) -> None:
        check_array("pixels", self.pixels, (np.uint8, np.uint16), channels=(1, 2, 3, 4))

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def depth(self) -> int:
        """Bits a channel: 8 or 16."""
        return 8 * self.pixels.itemsize

    @property
    def is_grey(self) -> bool:
        """Whether there is one channel beside alpha."""
        return is_grey(self.pixels)

    @property
    def alpha(self) -> np.ndarray | None:
        """(H, W) opacity, or None."""
        return alpha_of(self.pixels)

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) colours, ignoring alpha."""
        return rgb_of(self.pixels)

    def changed(self, note: str = "", **values: Any) -> DecodedImage:
        """Return a copy with other values, and a note on the change."""
        return replace(self, notes=(*self.notes, note) if note else self.notes, **values)

    def in_8_bits(self, note: str = "") -> DecodedImage:
        """Return a copy of 8 bits a channel, rounded; the note is added if that changes it."""
        if self.depth == 8:
            return self
        levels = (self.pixels.astype(np.uint32) + 128) // 257
        return self.changed(note, pixels=levels.astype(np.uint8))


def is_grey(pixels: np.ndarray) -> bool:
    """Whether (H, W, channels) has one channel beside alpha."""
    return pixels.shape[-1] < 3


def alpha_of(pixels: np.ndarray) -> np.ndarray | None:
    """(H, W) opacity of (H, W, channels), or None."""
    return pixels[..., -1] if pixels.shape[-1] in (2, 4) else None


def rgb_of(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) colours of (H, W, channels), ignoring alpha."""
    if is_grey(pixels):
        return np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])
