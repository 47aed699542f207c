"""How an LR picture and its HR picture are made from an original."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfsr.degradations import Pipeline, get_pipeline
from tfsr.errors import InvalidArgument
from tfsr.images import resize

Size = tuple[int, int]
"""(height, width) in pixels."""

# Of what protocols draw at random.
_SEED = 2026


@dataclass(frozen=True)
class Reduction:
    """How an LR picture is made from an original. Exactly one of the first two is given.

    Attributes:
        lr_size: side of a square LR picture, in pixels; for square originals such as faces.
        scale: factor between the two. The LR picture has floor(side / scale) pixels a side, and
            the original is cropped to scale times that, from the top left (LIIF's evaluation).
        degradation: what makes the LR image; see `tfsr.degradations.get_pipeline`. What it draws
            depends on the image's name, the degradation and the sizes alone.
        hr_size: with `lr_size`, the side of the HR picture, which is the original reduced by
            bicubic. Both are made from the original, as ARASFSR's are. Defaults to the original's.

    Raises:
        InvalidArgument: if both or neither are given, they make no sense, or the degradation is
            unknown.
    """

    lr_size: int | None = None
    scale: float | None = None
    degradation: str | Mapping[str, Any] = "bicubic"
    hr_size: int | None = None

    def __post_init__(self) -> None:
        if (self.lr_size is None) == (self.scale is None):
            raise InvalidArgument("a reduction takes either an LR size or a scale")
        if self.hr_size is not None and self.lr_size is None:
            raise InvalidArgument("an HR size goes with an LR size, not with a scale")
        for name, side in (("LR", self.lr_size), ("HR", self.hr_size)):
            if side is not None and side < 1:
                raise InvalidArgument(f"an {name} size must be at least 1; got {side}")
        if self.scale is not None and not 1 <= self.scale < math.inf:
            raise InvalidArgument(f"a scale must be a finite number from 1 on; got {self.scale:g}")
        _ = self.pipeline

    @cached_property
    def pipeline(self) -> Pipeline:
        """The degradation."""
        return get_pipeline(self.degradation)

    @property
    def label(self) -> str:
        """Its short name: "64", "64-256", "x3", or "real-medium-64" where chance has a part."""
        if self.lr_size is None:
            sizes = f"x{self.scale:g}"
        else:
            sizes = f"{self.lr_size}-{self.hr_size}" if self.hr_size else str(self.lr_size)
        return sizes if self.pipeline.deterministic else f"{self.pipeline.name}-{sizes}"

    def sizes(self, original: Size) -> tuple[Size, Size]:
        """(h, w) of the LR picture and (H, W) of the HR picture, of an original's (height, width).

        Raises:
            InvalidArgument: if the original is too small, or not square where it must be.
        """
        height, width = original
        if self.lr_size is not None:
            least = max(self.lr_size, self.hr_size or 0)
            if height != width or least > height:
                raise InvalidArgument(
                    f"a reduction to {self.label} takes square originals of at least "
                    f"{least}x{least}; got {width}x{height}"
                )
            hr = self.hr_size or height
            return (self.lr_size, self.lr_size), (hr, hr)
        scale = self.scale or 1.0
        # The published code's guard against 3 * (1 / 3) < 1.
        h, w = (math.floor(side / scale + 1e-9) for side in original)
        if min(h, w) < 1:
            least = math.ceil(scale)
            raise InvalidArgument(
                f"a reduction by {scale:g} takes originals of at least {least}x{least}; "
                f"got {width}x{height}"
            )
        return (h, w), (round(h * scale), round(w * scale))

    def __call__(self, original: np.ndarray, name: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Make the LR and the HR image of an original.

        Args:
            original: (H, W, 3) uint8.
            name: of the image, such as its file's without suffix: what is drawn at random depends
                on it, not on the image's place among others.

        Returns:
            (h, w, 3) and (H, W, 3) uint8.
        """
        lr_size, (height, width) = self.sizes((original.shape[0], original.shape[1]))
        rng = np.random.default_rng([_SEED, zlib.crc32(f"{self.label} {name}".encode())])
        if self.lr_size is not None:
            original = self.pipeline.prepare(original, rng)
            lr = self.pipeline.degrade(original, lr_size, rng)
            return lr, resize(original, (height, width))
        hr = self.pipeline.prepare(original[:height, :width], rng)
        return self.pipeline.degrade(hr, lr_size, rng), hr
