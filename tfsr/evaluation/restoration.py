"""How well reduced images are brought back to their size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument, check_choice
from tfsr.evaluation.reduction import Reduction
from tfsr.images import read, resize
from tfsr.inference import ModelUpscaler

Upscale = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""(h, w, 3) uint8 and (H, W) to (H, W, 3) uint8."""


def restoration_psnr(
    upscale: Upscale,
    paths: Sequence[Path],
    reduction: Reduction,
    protocol: str = "rgb",
    batch: int | None = None,
) -> list[float]:
    """PSNR of each image after reducing it and upscaling it back.

    Both the LR image and the output are 8-bit, as files are.

    Args:
        upscale: what is measured.
        paths: HR images.
        reduction: how the LR images are made.
        protocol: of `tfsr.metrics.psnr`.
        batch: how many images of one size `upscale` takes at once, as (B, h, w, 3), to return
            (B, H, W, 3); None: one, without the axis.

    Returns:
        dB, one value an image.

    Raises:
        ImageError: if an image cannot be read, reduced so, or measured by the protocol.
    """
    check_choice("protocol", protocol, metrics.PROTOCOLS)
    values = []
    for group in _of_one_size(paths, reduction, batch or 1):
        lr, hr = (np.stack(images) for images in zip(*(pair for _, *pair in group), strict=True))
        size = hr.shape[1:3]
        restored = upscale(lr, size) if batch else [upscale(image, size) for image in lr]
        for (path, small, original), sr in zip(group, restored, strict=True):
            with _naming(path):
                scale = round(len(original) / len(small))
                values.append(metrics.psnr(sr, original, protocol, scale=scale))
    return values


def _of_one_size(
    paths: Sequence[Path], reduction: Reduction, most: int
) -> Iterator[list[tuple[Path, np.ndarray, np.ndarray]]]:
    """Images with their LR and HR, in order, grouped where neighbours have the same sizes."""
    group: list[tuple[Path, np.ndarray, np.ndarray]] = []
    for path in paths:
        original = read(path)
        with _naming(path):
            lr, hr = reduction(original, path.name)
        same = group and (lr.shape, hr.shape) == (group[0][1].shape, group[0][2].shape)
        if group and (not same or len(group) == most):
            yield group
            group = []
        group.append((path, lr, hr))
    if group:
        yield group


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
        for upscale in (ModelUpscaler(model), bicubic_upscale)
    )
    return float(ours), float(bicubic)
