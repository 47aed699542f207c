"""How well reduced pictures are brought back to their size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument
from tfsr.evaluation.reduction import Reduction
from tfsr.images import read, resize
from tfsr.inference.upscaler import Upscaler

Upscale = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""(h, w, 3) uint8 and (H, W) to (H, W, 3) uint8."""


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
        ImageError: if a picture cannot be read, reduced so, or measured by the protocol.
    """
    metrics.check_protocol(protocol)
    values = []
    for path in paths:
        original = read(path)
        with _naming(path):
            lr, hr = reduction(original)
        height, width = hr.shape[:2]
        sr = upscale(lr, (height, width))
        with _naming(path):
            values.append(metrics.psnr(sr, hr, protocol, scale=round(height / len(lr))))
    return values


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidArgument as error:
        raise ImageError(f"{path}: {error}") from error


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
