"""An image with all that its file says about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.images.channels import alpha_of, is_grey, rgb_of


@dataclass(frozen=True)
class DecodedImage:
    """Pixels, and what goes with them from one file to the next.

    Attributes:
        pixels: (H, W, channels) uint8 or uint16, upright. One channel is grey, two are grey and
            alpha, three are RGB, four are RGB and alpha. Alpha is straight: colours are not
            multiplied by it.
        profile: the ICC profile, or None.
        exif: the EXIF block without orientation, or None.
        notes: what was changed on the way that a user should know, a few words each.

    Raises:
        InvalidArgument: if the pixels are of another shape or type.
    """

    pixels: np.ndarray
    profile: bytes | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = self.pixels
        if not isinstance(pixels, np.ndarray) or pixels.dtype not in (np.uint8, np.uint16):
            received = getattr(pixels, "dtype", type(pixels).__name__)
            raise InvalidArgument(f"pixels must be a uint8 or uint16 array; received {received}")
        if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4 or pixels.size == 0:
            raise InvalidArgument(f"pixels must have shape (H, W, 1 to 4); received {pixels.shape}")

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
        """(H, W) of how opaque pixels are, or None."""
        return alpha_of(self.pixels)

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) of the colours, alpha left aside: what is transparent shows its own colour."""
        return rgb_of(self.pixels)

    def changed(self, note: str = "", **values: Any) -> DecodedImage:
        """A copy with other values, and a note on why."""
        notes = (*self.notes, note) if note else self.notes
        return replace(self, notes=notes, **values)

    def in_8_bits(self, note: str = "") -> DecodedImage:
        """A copy of 8 bits a channel, rounded."""
        if self.depth == 8:
            return self
        return self.changed(
            note, pixels=((self.pixels.astype(np.uint32) + 128) // 257).astype("u1")
        )
