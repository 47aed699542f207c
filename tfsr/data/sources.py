"""The folders that training images come from, and how often each is drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tfsr.data.config import SamplingConfig
from tfsr.errors import InvalidArgument
from tfsr.images import files

# The fractional part of the golden ratio: its multiples, modulo 1, fill the interval evenly.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Source:
    """A folder of training images; `- faces/train` is short for `- {folder: faces/train}`.

    Where a value is None, the recipe's `data.sampling` holds for this folder too.

    Attributes:
        folder: of images.
        weight: share of the samples, relative to the other folders' weights; 0 leaves it out.
        mode: as `SamplingConfig.mode`. A folder in mode "random_crop" among windows has crops of
            the windows' size.
        lr_size: as `SamplingConfig.lr_size`.
        hr_size: as `SamplingConfig.hr_size`.
        scale: as `SamplingConfig.scale`.
        degradation: as `SamplingConfig.degradation`.
        augment: as `SamplingConfig.augment`.
    """

    folder: str
    weight: float = 1.0
    mode: Literal["resize", "random_crop"] | None = None
    lr_size: int | tuple[int, int] | None = None
    hr_size: tuple[int, int] | None = None
    scale: tuple[float, float] | None = None
    degradation: str | Mapping[str, Any] | list[Any] | None = None
    augment: tuple[str, ...] | None = None

    def sampling(self, base: SamplingConfig) -> SamplingConfig:
        """How samples are cut from this folder's images.

        Args:
            base: of all folders.
        """
        changes = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("folder", "weight") and getattr(self, field.name) is not None
        }
        if changes.get("mode", base.mode) == "random_crop" and base.window is not None:
            changes = {"lr_size": base.input_size, **changes, "window": None}
        return replace(base, **changes)


@dataclass(frozen=True)
class ImageSet:
    """The images of one source, listed.

    Attributes:
        paths: of the images.
        config: how samples are cut from them.
        weight: share of the samples, relative to the other sets'.
    """

    paths: tuple[Path, ...]
    config: SamplingConfig
    weight: float = 1.0


def check_sources(sources: Sequence[Source], base: SamplingConfig) -> None:
    """Check that folders can be drawn from together, without looking at them.

    Args:
        sources: the folders.
        base: how samples are cut where a folder does not say otherwise.

    Raises:
        InvalidArgument: naming the folder and what is wrong.
    """
    if not sources:
        raise InvalidArgument("needs at least one folder; received an empty list")
    for source in sources:
        if not 0 <= source.weight < math.inf:
            raise InvalidArgument(
                f"{source.folder}: weight must be at least 0; received {source.weight}"
            )
        config = source.sampling(base)
        try:
            config.validate()
        except InvalidArgument as error:
            raise InvalidArgument(f"{source.folder}: {error}") from error
        if config.input_size != base.input_size:
            raise InvalidArgument(
                f"{source.folder}: LR images of all folders need one size, {base.input_size}; "
                f"received {config.input_size}"
            )
    if not any(source.weight for source in sources):
        raise InvalidArgument("the weights of the folders sum to 0; at least one must be above 0")


def list_sources(sources: Sequence[Source], base: SamplingConfig) -> list[ImageSet]:
    """List the images of every folder whose weight is above 0.

    Args:
        sources: the folders.
        base: how samples are cut where a folder does not say otherwise.

    Raises:
        ImageError: if a folder cannot be read or holds no images.
        InvalidArgument: as `check_sources`.
    """
    check_sources(sources, base)
    return [
        ImageSet(tuple(files.list_images(source.folder)), source.sampling(base), source.weight)
        for source in sources
        if source.weight
    ]


def choose(weights: Sequence[float], seed: int, index: int) -> int:
    """Choose the set that a sample comes from, so that any run of samples has nearly its shares.

    The multiples of the golden ratio, shifted by the seed, fill [0, 1) evenly; each set takes a
    part of it as wide as its share.

    Args:
        weights: of the sets, not negative, not all 0.
        seed: of the run.
        index: of the sample, from 0.

    Returns:
        The set's number.

    Example:
        >>> [choose([3, 1], 0, i) for i in range(8)].count(0)
        6
    """
    if len(weights) == 1:
        return 0
    start = np.random.default_rng([seed, len(weights)]).random()
    place = (start + index * _GOLDEN) % 1
    ends = np.cumsum(weights) / np.sum(weights)
    return int(np.searchsorted(ends[:-1], place, side="right"))
