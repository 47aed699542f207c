"""PSNR of images that were degraded and restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument, check_choice
from tfsr.evaluation.degradation_spec import DegradationSpec
from tfsr.images import read


def restoration_psnr(
    upscale: Callable[[np.ndarray, tuple[int, int]], np.ndarray],
    paths: Sequence[Path],
    spec: DegradationSpec,
    protocol: str = "rgb",
    batch: int | None = None,
) -> list[float]:
    """Compute the PSNR of each image after it was degraded and upscaled back.

    Both the LR image and the output are 8-bit, as in files.

    Args:
        upscale: (h, w, 3) uint8 and (H, W) to (H, W, 3) uint8, such as an `Upscaler`.
        paths: HR images.
        spec: how the LR images are made.
        protocol: a key of `tfsr.metrics.PROTOCOLS`.
        batch: how many images of one size `upscale` takes at once, as (B, h, w, 3), to return
            (B, H, W, 3); None: one, without the axis.

    Returns:
        dB, one value an image.

    Raises:
        ImageError: if an image cannot be read, degraded, or compared by the protocol.

    Example:
        >>> from pathlib import Path
        >>> spec = tfsr.evaluation.DegradationSpec(scale=2)
        >>> bicubic = tfsr.load_upscaler("bicubic")
        >>> values = tfsr.evaluation.restoration_psnr(bicubic, [Path("photo.jpg")], spec)
        >>> len(values)
        1
    """
    check_choice("protocol", protocol, metrics.PROTOCOLS)
    values = []
    for group in _groups(paths, spec, batch or 1):
        lr, hr = (np.stack(images) for images in zip(*(pair for _, *pair in group), strict=True))
        size = hr.shape[1:3]
        restored = upscale(lr, size) if batch else [upscale(image, size) for image in lr]
        for (path, small, original), sr in zip(group, restored, strict=True):
            with _naming(path):
                scale = round(len(original) / len(small))
                values.append(metrics.psnr(sr, original, protocol, scale=scale))
    return values


def _groups(
    paths: Sequence[Path], spec: DegradationSpec, max_count: int
) -> Iterator[list[tuple[Path, np.ndarray, np.ndarray]]]:
    """Images with their LR and HR, in order, grouped where neighbours have the same sizes."""

    def degraded(path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
        original = read(path)
        with _naming(path):
            return path, *spec(original, path.name)

    images = map(degraded, paths)
    for _, same in groupby(images, key=lambda image: (image[1].shape, image[2].shape)):
        while group := list(islice(same, max_count)):
            yield group


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidArgument as error:
        raise ImageError(f"{path}: {error}") from error
