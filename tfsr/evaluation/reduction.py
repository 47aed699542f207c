"""How an LR image and its HR image are made from an original."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfsr.degradations import Pipeline, get_pipeline
from tfsr.errors import InvalidArgument
from tfsr.images import resize

Size = tuple[int, int]
"""(height, width) in pixels."""

_SEED = 17
"""Of everything random in evaluation: figures of two versions compare because it stays."""


@dataclass(frozen=True)
class Reduction:
    """How an LR image is made from an original. Exactly one of the first two is given.

    Attributes:
        lr_size: side of a square LR image, in pixels; for square originals such as faces.
        scale: factor between the two. The LR image has floor(side / scale) pixels a side, and
            the original is cropped to scale times that, from the top left (LIIF's evaluation).
        degradation: see `tfsr.degradations.get_pipeline`. What is random in it depends on it and
            on the image's name alone, not on the other images.
        hr_size: with `lr_size`, the side of the HR image, which is the original reduced by
            bicubic. Both are made from the original, as ARASFSR's are. Defaults to the original's.

    Raises:
        InvalidArgument: if both or neither are given, they make no sense, or the degradation is
            unknown.
    """

    lr_size: int | None = None
    scale: float | None = None
    degradation: str | Mapping[str, Any] | list[Any] = field(default="bicubic", hash=False)
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
        get_pipeline(self.degradation)

    @property
    def label(self) -> str:
        """Its short name: "64", "64-256", or "x3"; "64-real-light" where LR images are random."""
        pipeline = self.pipeline
        random = "" if pipeline.deterministic else f"-{pipeline.name}"
        if self.lr_size is None:
            return f"x{self.scale:g}{random}"
        hr = f"-{self.hr_size}" if self.hr_size else ""
        return f"{self.lr_size}{hr}{random}"

    @property
    def pipeline(self) -> Pipeline:
        """What makes the LR image."""
        return get_pipeline(self.degradation)

    def sizes(self, original: Size) -> tuple[Size, Size]:
        """(h, w) of the LR image and (H, W) of the HR image, of an original's (height, width).

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

    def generator(self, name: str) -> np.random.Generator:
        """What everything random about an image is drawn from: the same for any size.

        Args:
            name: of the image's file, without its folder.
        """
        text = json.dumps([self.pipeline.spec, name], sort_keys=True)
        digest = hashlib.sha256(text.encode(errors="surrogateescape")).digest()
        return np.random.default_rng([_SEED, int.from_bytes(digest[:8], "big")])

    def __call__(self, original: np.ndarray, name: str = "") -> tuple[np.ndarray, np.ndarray]:
        """(LR, HR) of an original.

        HR is the original as it is, whatever the degradation trains towards: systems are compared
        with what was photographed, not with a sharpened copy of it.

        Args:
            original: (H, W, 3) uint8.
            name: of its file, for `generator`.
        """
        lr_size, (height, width) = self.sizes((original.shape[0], original.shape[1]))
        rng = self.generator(name)
        if self.lr_size is not None:
            lr = self.pipeline.degrade(original, lr_size, rng)
            return lr, resize(original, (height, width))
        hr = original[:height, :width]
        return self.pipeline.degrade(hr, lr_size, rng), hr
