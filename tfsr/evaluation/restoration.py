"""How well reduced pictures are brought back to their size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import degradations, read, resize
from tfsr.inference.upscaler import Upscaler

Upscale = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""(h, w, 3) uint8 and (H, W) to (H, W, 3) uint8."""


@dataclass(frozen=True)
class Reduction:
    """How an LR picture is made from an original. Exactly one of the first two is given.

    Attributes:
        lr_size: side of a square LR picture, in pixels; for square originals such as faces.
        scale: factor between the two. The LR picture has floor(side / scale) pixels a side, and
            the original is cropped to scale times that, from the top left (LIIF's evaluation).
        degradation: see `tfsr.images.degradations`.

    Raises:
        InvalidArgument: if both or neither are given, or the degradation is unknown.
    """

    lr_size: int | None = None
    scale: float | None = None
    degradation: str = "bicubic"

    def __post_init__(self) -> None:
        if (self.lr_size is None) == (self.scale is None):
            raise InvalidArgument("a reduction takes either an LR size or a scale")
        if self.lr_size is not None and self.lr_size < 1:
            raise InvalidArgument(f"an LR size must be at least 1; got {self.lr_size}")
        if self.scale is not None and not 0 < self.scale < np.inf:
            raise InvalidArgument(f"a scale must be a finite number above 0; got {self.scale}")
        degradations.get(self.degradation)

    @property
    def label(self) -> str:
        """Its short name: "64", or "x3"."""
        return str(self.lr_size) if self.lr_size is not None else f"x{self.scale:g}"

    def __call__(self, original: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(LR, HR) of an (H, W, 3) uint8 original."""
        reduce = degradations.get(self.degradation)
        height, width = original.shape[:2]
        if self.lr_size is not None:
            if height != width or self.lr_size > height:
                raise InvalidArgument(
                    f"a reduction to {self.lr_size}x{self.lr_size} takes square originals at least "
                    f"that large; got {width}x{height}"
                )
            return reduce(original, (self.lr_size, self.lr_size)), original
        scale = self.scale or 1.0
        # The published code's guard against 3 * (1 / 3) < 1.
        height, width = (int(np.floor(side / scale + 1e-9)) for side in original.shape[:2])
        hr = original[: round(height * scale), : round(width * scale)]
        return reduce(hr, (height, width)), hr


def restoration_psnr(
    upscale: Upscale, paths: Sequence[Path], reduction: Reduction, protocol: str = "rgb"
) -> list[float]:
    """PSNR of each picture after reducing it and upscaling it back.

    Both the LR picture and the answer are 8-bit, as files are.

    Args:
        upscale: what is measured.
        paths: HR pictures.
        reduction: how the LR pictures are made.
        protocol: of `tfsr.metrics.psnr`.

    Returns:
        dB, one value a picture.

    Raises:
        ImageError: if a picture cannot be read, or not be reduced so.
    """
    values = []
    for path in paths:
        original = read(path)
        try:
            lr, hr = reduction(original)
        except InvalidArgument as error:
            raise ImageError(f"{path}: {error}") from error
        height, width = hr.shape[:2]
        sr = upscale(lr, (height, width))
        values.append(metrics.psnr(sr, hr, protocol, scale=round(height / len(lr))))
    return values


def bicubic_upscale(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pillow's bicubic filter: the baseline."""
    return resize(image, size, "bicubic")


def compare_with_bicubic(
    model, paths: Sequence[Path], reduction: Reduction, protocol: str = "rgb"
) -> tuple[float, float]:
    """Mean PSNR in dB of a model and of Pillow's bicubic; arguments as `restoration_psnr`."""
    ours, bicubic = (
        np.mean(restoration_psnr(upscale, paths, reduction, protocol))
        for upscale in (Upscaler(model), bicubic_upscale)
    )
    return float(ours), float(bicubic)
