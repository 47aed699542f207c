"""Folders of training images, and how often each is sampled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tfsr.data.sampling_config import SamplingConfig
from tfsr.errors import InvalidArgument
from tfsr.images import list_images

# The fractional part of the golden ratio: its multiples, modulo 1, fill the interval evenly.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Source:
    """A folder of training images; in a recipe, `- faces` is short for `- {folder: faces}`.

    Attributes:
        folder: path of the folder.
        weight: share of the samples, relative to the other folders' weights; 0 leaves it out.
        mode: the other attributes override those of `SamplingConfig`. In mode "random_crop", crops
            have the size of the other folders' windows.

    Example:
        >>> photos = tfsr.data.Source("photos", weight=0.5, mode="random_crop")
        >>> photos.sampling(tfsr.data.SamplingConfig(window=32)).input_size
        32
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
        """Return the configuration of all folders with this folder's changes."""
        values = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        changes = {name: value for name, value in values.items() if value is not None}
        if changes.get("mode", base.mode) == "random_crop" and base.window is not None:
            changes = {"lr_size": base.input_size, **changes, "window": None}
        return replace(base, **changes)


@dataclass(frozen=True)
class ImageSet:
    """The listed images of one source, their configuration and their weight."""

    paths: tuple[Path, ...]
    config: SamplingConfig
    weight: float = 1.0


def check_sources(sources: Sequence[Source], base: SamplingConfig) -> None:
    """Check that folders can be sampled together, without looking at them.

    Raises:
        InvalidArgument: with the folder.
    """
    if not any(source.weight for source in sources):
        raise InvalidArgument("at least one folder must have a weight above 0")
    for source in sources:
        config = source.sampling(base)
        try:
            if not 0 <= source.weight < math.inf:
                raise InvalidArgument(f"must be at least 0; received {source.weight}", "weight")
            config.validate()
            if config.input_size != base.input_size:
                raise InvalidArgument(
                    f"all folders need LR images of one size, {base.input_size}; "
                    f"received {config.input_size}"
                )
        except InvalidArgument as error:
            raise InvalidArgument(f"{source.folder}: {error}") from error


def list_sources(sources: Sequence[Source], base: SamplingConfig) -> list[ImageSet]:
    """List the images of every folder whose weight is above 0; errors of folders and sources."""
    check_sources(sources, base)
    return [
        ImageSet(tuple(list_images(source.folder)), source.sampling(base), source.weight)
        for source in sources
        if source.weight
    ]


def choose(weights: Sequence[float], seed: int, index: int) -> int:
    """Choose the set for a sample, so that any run of samples has nearly the sets' shares.

    The multiples of the golden ratio, shifted by the seed, fill [0, 1) evenly; each set owns a part
    as wide as its share.
    """
    if len(weights) == 1:
        return 0
    start = np.random.default_rng([seed, len(weights)]).random()
    position = (start + index * _GOLDEN) % 1
    ends = np.cumsum(weights) / np.sum(weights)
    return int(np.searchsorted(ends[:-1], position, side="right"))
