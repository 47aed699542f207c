"""The images of a table's columns: originals, and LR images where the data set has them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr import metrics
from tfsr.errors import ImageError, InvalidArgument
from tfsr.evaluation.degradation_spec import DegradationSpec
from tfsr.evaluation.protocols import EvaluationProtocol
from tfsr.images import list_images, read, resize
from tfsr.inference.target_size import Size

# MATLAB's and Pillow's reductions of an image of Set5 or Set14 agree to 46 dB or more, those of
# different images to 11 at most.
_SAME_IMAGE_DB = 20.0

_ADVICE = "choose other LR sides or scales, or larger images"


@dataclass(frozen=True)
class Pair:
    """Files and sizes of an original and its LR image; `lr` is None if that is made."""

    original: Path
    lr: Path | None
    original_size: Size
    lr_size: Size
    size: Size


@dataclass(frozen=True)
class Column:
    """A column of a table: its checked images, and the scale that sets a border's width."""

    spec: DegradationSpec
    pairs: tuple[Pair, ...]
    border_scale: int | None

    @property
    def label(self) -> str:
        """Short name: "64", "64-256", or "x3"."""
        return self.spec.label

    @property
    def scale(self) -> float:
        """HR over LR; of the first image if images differ."""
        pair = self.pairs[0]
        return self.spec.scale or pair.size[0] / pair.lr_size[0]

    @property
    def origin(self) -> str:
        """Where the LR images come from, in words."""
        if self.pairs[0].lr is not None:
            return "LR given"
        pipeline = self.spec.pipeline
        if pipeline.deterministic:
            return f"LR made by {pipeline.title}"
        return f"LR made by {pipeline.name} ({pipeline.title}), seeded by each file's name"

    def load(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Read a pair: (LR, HR), both uint8."""
        original = read(pair.original)
        if pair.lr is None:
            return self.spec(original, pair.original.name)
        return read(pair.lr), original[: pair.size[0], : pair.size[1]]


def make_columns(
    data: str | os.PathLike[str], protocol: EvaluationProtocol, specs: Sequence[DegradationSpec]
) -> list[Column]:
    """Find the images of a table's columns. Each is read once and its size is checked.

    A folder of images holds originals. A folder with HR, or one folder whose name ends in _HR, is a
    data set: its LR images are in LR_bicubic/X2 and so on, beside HR, and are used at the
    protocol's `given` scales. All others are made from the originals.

    Args:
        data: the folder.
        protocol: says which given LR images are used, and how large images must be.
        specs: the columns.

    Raises:
        ImageError: no images, an image that cannot be read or is too small, or an LR image without
            HR image or the other way round.
    """
    specs = list(dict.fromkeys(specs))
    folder, lr_folder = _find_folders(Path(data))
    originals = list_images(folder)
    given = {
        spec: _find_lr_files(lr_folder, originals, int(spec.scale or 1))
        for spec in specs
        if lr_folder is not None and spec.scale in protocol.given
    }
    pairs: dict[DegradationSpec, list[Pair]] = {spec: [] for spec in specs}
    for i, path in enumerate(originals):
        original = read(path)
        for spec in specs:
            if spec in given:
                pair = _given_pair(path, original, given[spec][i], int(spec.scale or 1))
            else:
                pair = _made_pair(path, original, spec)
            _check_side(pair, spec, protocol)
            pairs[spec].append(pair)
    return [Column(spec, tuple(pairs[spec]), protocol.border_scale(spec)) for spec in specs]


def _find_folders(data: Path) -> tuple[Path, Path | None]:
    """The folder of originals, and that of given LR images."""
    try:
        folders = sorted(path for path in data.iterdir() if os.path.isdir(path))
    except OSError as error:
        raise ImageError(f"{data}: cannot be listed: {error.strerror}") from error
    hr = [path for path in folders if path.name == "HR" or path.name.endswith("_HR")]
    if not hr:
        return data, None
    if len(hr) > 1:
        raise ImageError(f"{data}: holds {hr[0].name} and {hr[1].name}; give one of them")
    return hr[0], data / f"{hr[0].name.removesuffix('HR')}LR_bicubic"


def _find_lr_files(root: Path, originals: Sequence[Path], scale: int) -> list[Path]:
    """The LR file of each original.

    They are paired by name (a.png, ax2.png), or in the order of their names where no name matches,
    as LIIF's program does.
    """
    folder = root / f"X{scale}"
    if not os.path.isdir(folder):
        raise ImageError(
            f"{folder}: is missing; the protocol uses given LR images. Choose other scales, or "
            f"give {originals[0].parent} to have them made"
        )
    files = list_images(folder)
    by_name = {path.stem.removesuffix(f"x{scale}"): path for path in files}
    stems = {path.stem: path for path in originals}
    if not stems.keys() & by_name.keys() and len(files) == len(originals):
        return files
    for stem in sorted(stems.keys() ^ by_name.keys()):
        if stem in stems:
            raise ImageError(f"{stems[stem]}: has no LR image in {folder}")
        raise ImageError(f"{by_name[stem]}: has no HR image in {originals[0].parent}")
    return [by_name[path.stem] for path in originals]


def _made_pair(path: Path, original: np.ndarray, spec: DegradationSpec) -> Pair:
    try:
        lr_size, size = spec.sizes(_size(original))
    except InvalidArgument as error:
        raise ImageError(f"{path}: {error}; {_ADVICE}") from error
    return Pair(path, None, _size(original), lr_size, size)


def _given_pair(path: Path, original: np.ndarray, lr: Path, scale: int) -> Pair:
    small = read(lr)
    height, width = (scale * side for side in small.shape[:2])
    rest = original.shape[0] - height, original.shape[1] - width
    if not (
        min(rest) >= 0
        and max(rest) < scale
        and metrics.psnr(small, resize(original[:height, :width], _size(small))) > _SAME_IMAGE_DB
    ):
        raise ImageError(
            f"{lr}: {small.shape[1]}x{small.shape[0]}, is not a reduction by {scale} of {path}, "
            f"{original.shape[1]}x{original.shape[0]}"
        )
    return Pair(path, lr, _size(original), _size(small), (height, width))


def _size(image: np.ndarray) -> Size:
    return image.shape[0], image.shape[1]


def _check_side(pair: Pair, spec: DegradationSpec, protocol: EvaluationProtocol) -> None:
    scale = protocol.border_scale(spec)
    for metric in protocol.metrics:
        min_side = metric.min_side(scale)
        if min(pair.size) < min_side:
            raise ImageError(
                f"{pair.original}: at {spec.label} the images compared have "
                f"{pair.size[1]}x{pair.size[0]} pixels, and the protocol needs "
                f"{min_side}x{min_side}: {metric.label}; {_ADVICE}"
            )
