"""How an LR image and its HR image are made from an original."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfsr.degradations import PIPELINES, Pipeline, get_pipeline
from tfsr.errors import InvalidArgument
from tfsr.images import resize
from tfsr.inference.target_size import Size

# Fixed for good, so that figures of different versions compare.
_SEED = 17


@dataclass(frozen=True)
class DegradationSpec:
    """Sizes and degradation of the LR images of a table's column. Give `lr_size` or `scale`.

    Args:
        lr_size: side of a square LR image, in pixels; for square originals such as faces.
        scale: HR over LR. LR images have floor(side / scale) pixels a side, and HR is the original
            cropped to scale times that, from the top left, as in LIIF's evaluation.
        degradation: what `tfsr.degradations.get_pipeline` takes. Its randomness is seeded by it and
            the image's file name alone.
        hr_size: side of the HR image, with `lr_size`. HR is the bicubic reduction of the original,
            as in ARASFSR's evaluation. Defaults to the original's side.

    Raises:
        InvalidArgument: if both or neither of `lr_size` and `scale` are given, a value is
            impossible, or the degradation is unknown.

    Example:
        >>> spec = tfsr.evaluation.DegradationSpec(lr_size=16, hr_size=32)
        >>> lr, hr = spec(np.zeros((48, 48, 3), np.uint8))
        >>> spec.label, lr.shape, hr.shape
        ('16-32', (16, 16, 3), (32, 32, 3))
    """

    lr_size: int | None = None
    scale: float | None = None
    degradation: str | Mapping[str, Any] | list[Any] = field(default="bicubic", hash=False)
    hr_size: int | None = None

    def __post_init__(self) -> None:
        if (self.lr_size is None) == (self.scale is None):
            raise InvalidArgument("give either lr_size or scale")
        if self.hr_size is not None and self.lr_size is None:
            raise InvalidArgument("goes with lr_size, not with scale", "hr_size")
        for name, side in (("lr_size", self.lr_size), ("hr_size", self.hr_size)):
            if side is not None and side < 1:
                raise InvalidArgument(f"must be at least 1; received {side}", name)
        if self.scale is not None and not 1 <= self.scale < math.inf:
            raise InvalidArgument(
                f"must be a finite number of at least 1; received {self.scale:g}", "scale"
            )
        get_pipeline(self.degradation)

    @property
    def label(self) -> str:
        """Short name: "64", "64-256" or "x3"; "64-real-light" if the degradation does more."""
        pipeline = self.pipeline
        plain = pipeline.deterministic and pipeline.name in PIPELINES
        name = "" if plain else f"-{pipeline.name}"
        if self.lr_size is None:
            return f"x{self.scale:g}{name}"
        hr = f"-{self.hr_size}" if self.hr_size else ""
        return f"{self.lr_size}{hr}{name}"

    @property
    def pipeline(self) -> Pipeline:
        """The degradation that makes the LR image."""
        return get_pipeline(self.degradation)

    def sizes(self, original: Size) -> tuple[Size, Size]:
        """Return (h, w) of the LR and (H, W) of the HR image of an original of (height, width).

        Raises:
            InvalidArgument: if the original is too small, or not square where it must be.
        """
        height, width = original
        if self.lr_size is not None:
            min_side = max(self.lr_size, self.hr_size or 0)
            if height != width or min_side > height:
                raise InvalidArgument(
                    f"a reduction to {self.label} needs square originals of at least "
                    f"{min_side}x{min_side}; received {width}x{height}"
                )
            hr = self.hr_size or height
            return (self.lr_size, self.lr_size), (hr, hr)
        scale = self.scale or 1.0
        # The published code's guard against 3 * (1 / 3) < 1.
        h, w = (math.floor(side / scale + 1e-9) for side in original)
        if min(h, w) < 1:
            min_side = math.ceil(scale)
            raise InvalidArgument(
                f"a reduction by {scale:g} needs originals of at least {min_side}x{min_side}; "
                f"received {width}x{height}"
            )
        return (h, w), (round(h * scale), round(w * scale))

    def generator(self, name: str) -> np.random.Generator:
        """Return the random generator of an image's degradation, the same for any size.

        Args:
            name: of the image's file, without its folder.
        """
        text = json.dumps([self.pipeline.spec, name], sort_keys=True)
        digest = hashlib.sha256(text.encode(errors="surrogateescape")).digest()
        return np.random.default_rng([_SEED, int.from_bytes(digest[:8], "big")])

    def __call__(self, original: np.ndarray, name: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Return (LR, HR) of an original.

        HR never has the sharpened target of a degradation: systems are compared with the original.

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
