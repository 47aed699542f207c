"""Which files a table is measured on: originals, and LR images where a data set brings them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument
from tfsr.evaluation.layout import given_lr, layout
from tfsr.evaluation.protocols import Protocol
from tfsr.evaluation.reduction import Reduction, Size
from tfsr.images import list_images, read, resize

# MATLAB's and Pillow's reductions of an image of Set5 or Set14 agree to 46 dB or more, those of
# different images to 11 at most.
_SAME_IMAGE_DB = 20.0

_OTHERS = "choose other columns with --lr-sides or --scales, or larger images"


@dataclass(frozen=True)
class Pair:
    """An original and its LR file where that is given.

    Attributes:
        original: the file.
        lr: the file, or None where the LR image is made.
        original_size: (height, width) of the first.
        lr_size: (h, w) of the LR image.
        size: (H, W) of the HR image, which the output is compared with.
    """

    original: Path
    lr: Path | None
    original_size: Size
    lr_size: Size
    size: Size


@dataclass(frozen=True)
class Cell:
    """One column of a table: a reduction and the pairs it makes, all checked.

    Attributes:
        reduction: how LR images are made where they are not given.
        pairs: one for each image.
        border_scale: what sets the width of a border, where the protocol cuts one.
    """

    reduction: Reduction
    pairs: tuple[Pair, ...]
    border_scale: int | None

    @property
    def label(self) -> str:
        """Its short name: "64", "64-256", or "x3"."""
        return self.reduction.label

    @property
    def scale(self) -> float:
        """HR over LR; of the first image, where it is not the same for all."""
        pair = self.pairs[0]
        return self.reduction.scale or pair.size[0] / pair.lr_size[0]

    @property
    def origin(self) -> str:
        """Where the LR images come from, in words."""
        if self.pairs[0].lr is not None:
            return "LR given"
        pipeline = self.reduction.pipeline
        if pipeline.deterministic:
            return f"LR made by {pipeline.title}"
        return f"LR made by {pipeline.name} ({pipeline.title}), seeded by each file's name"

    def load(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """(LR, HR), both (.., .., 3) uint8.

        Raises:
            ImageError: if a file cannot be read any more.
        """
        original = read(pair.original)
        if pair.lr is None:
            return self.reduction(original, pair.original.name)
        return read(pair.lr), original[: pair.size[0], : pair.size[1]]


def cells(
    data: str | os.PathLike[str], protocol: Protocol, reductions: Sequence[Reduction]
) -> list[Cell]:
    """The columns of a table, every image read once and every size checked.

    LR images are those of the data set where it brings them and the protocol takes them (see
    `layout`), and are made everywhere else.

    Args:
        data: the folder.
        protocol: what asks for the images.
        reductions: its columns.

    Raises:
        ImageError: no images, one that cannot be read or is too small, or an LR image without
            its HR image or the other way round. The file is named.
    """
    reductions = list(dict.fromkeys(reductions))
    folder, lr_folder = layout(Path(data))
    originals = list_images(folder)
    given = {
        reduction: given_lr(lr_folder, originals, int(reduction.scale or 1))
        for reduction in reductions
        if lr_folder is not None and reduction.scale in protocol.given
    }
    pairs: dict[Reduction, list[Pair]] = {reduction: [] for reduction in reductions}
    for i, path in enumerate(originals):
        original = read(path)
        for reduction in reductions:
            if reduction in given:
                pair = _given_pair(path, original, given[reduction][i], int(reduction.scale or 1))
            else:
                pair = _made_pair(path, original, reduction)
            _check_side(pair, reduction, protocol)
            pairs[reduction].append(pair)
    return [
        Cell(reduction, tuple(pairs[reduction]), protocol.border_scale(reduction))
        for reduction in reductions
    ]


def _made_pair(path: Path, original: np.ndarray, reduction: Reduction) -> Pair:
    try:
        lr_size, size = reduction.sizes(_size(original))
    except InvalidArgument as error:
        raise ImageError(f"{path}: {error}; {_OTHERS}") from error
    return Pair(path, None, _size(original), lr_size, size)


def _given_pair(path: Path, original: np.ndarray, lr: Path, scale: int) -> Pair:
    small = read(lr)
    height, width = (scale * side for side in small.shape[:2])
    fits = all(0 <= hr - s < scale for hr, s in zip(original.shape, (height, width), strict=False))
    if fits:
        reduced = resize(original[:height, :width], _size(small))
        fits = metrics.psnr(small, reduced) > _SAME_IMAGE_DB
    if not fits:
        raise ImageError(
            f"{lr}: {small.shape[1]}x{small.shape[0]}, is no reduction by {scale} of {path}, "
            f"{original.shape[1]}x{original.shape[0]}"
        )
    return Pair(path, lr, _size(original), _size(small), (height, width))


def _size(image: np.ndarray) -> Size:
    return image.shape[0], image.shape[1]


def _check_side(pair: Pair, reduction: Reduction, protocol: Protocol) -> None:
    scale = protocol.border_scale(reduction)
    for measure in protocol.measures:
        least = measure.least_side(scale)
        if min(pair.size) < least:
            raise ImageError(
                f"{pair.original}: at {reduction.label} the images compared have "
                f"{pair.size[1]}x{pair.size[0]} pixels, and the protocol needs {least}x{least}: "
                f"{measure.label}; {_OTHERS}"
            )
