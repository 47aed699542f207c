"""A pipeline of degradations: from an original to its LR image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tfsr.degradations import ranges
from tfsr.degradations.composition import Steps, override, read_arguments, read_steps, sample_steps
from tfsr.degradations.levels import byte_levels
from tfsr.degradations.rescaling import ToLR
from tfsr.degradations.step import DEGRADATIONS, Operation, Region, Size, SizeState
from tfsr.errors import InvalidArgument, check_choice
from tfsr.images.pixel_types import check_rgb
from tfsr.images.resizing import check_size

PIPELINES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
"""The named pipelines as plain data: `title`, `clean`, `prepare` and `steps`."""

_ALIASES = {"bicubic": "clean"}

_KEYS = ("name", "clean", "prepare", "steps")
_CLEAN = (ToLR(),)


@dataclass(frozen=True)
class Pipeline:
    """A sequence of degradations, with the ranges of their parameters; see `get_pipeline`.

    Attributes:
        name: a key of `PIPELINES`, or "custom".
        title: description.
        spec: plain data from which `get_pipeline` makes an equal pipeline.
        clean: probability that the LR image is only a bicubic reduction.
        before: steps applied to the original before HR and LR images are made of it.
        steps: from the original to the LR image.

    Example:
        >>> pipeline = tfsr.degradations.get_pipeline("faces")
        >>> rng = np.random.default_rng([0, 7])
        >>> original = pipeline.prepare(np.full((64, 64, 3), 128, np.uint8), rng)
        >>> pipeline.degrade(original, (16, 16), rng).shape
        (16, 16, 3)
    """

    name: str
    title: str
    spec: str | dict[str, Any]
    clean: float
    before: Steps
    steps: Steps

    def prepare(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the original, (H, W, 3) uint8, that HR and LR images are made of.

        Most pipelines leave it unchanged.
        """
        check_rgb(image, np.uint8)
        size = (image.shape[0], image.shape[1])
        sizes = SizeState(size, size, (0, 0, *size), size)
        return _apply(sample_steps(self.before, rng, sizes), image, rng)

    def degrade(
        self, image: np.ndarray, size: Size, rng: np.random.Generator, box: Region | None = None
    ) -> np.ndarray:
        """Make the LR image of an original, or of a region of it.

        Args:
            image: (H, W, 3) uint8, the output of `prepare`.
            size: (h, w) of the LR image.
            rng: source of randomness: the same state gives the same image.
            box: (top, left, bottom, right) of the region that the LR image shows, in pixels of the
                original, fractions allowed; filters see the pixels around it. None: all of it.

        Returns:
            (h, w, 3) uint8.
        """
        check_rgb(image, np.uint8)
        size = check_size(size)
        return _apply(self.sample((image.shape[0], image.shape[1]), size, rng, box), image, rng)

    def sample(
        self, original: Size, size: Size, rng: np.random.Generator, box: Region | None = None
    ) -> list[Operation]:
        """Sample the operations that make the LR image; arguments as in `degrade`."""
        sizes = SizeState(original, size, box or (0, 0, *original), original)
        if ranges.happens(rng, self.clean):
            return sample_steps(_CLEAN, rng, sizes)
        operations = sample_steps(self.steps, rng, sizes)
        if not sizes.is_lr or sizes.current != size:
            operations += sample_steps(_CLEAN, rng, sizes)
        return operations

    @cached_property
    def deterministic(self) -> bool:
        """Whether nothing is random: LR images depend on the original alone."""
        rng, image = np.random.default_rng(0), np.zeros((64, 64, 3), np.uint8)
        state = rng.bit_generator.state
        self.degrade(self.prepare(image, rng), (16, 16), rng)
        return rng.bit_generator.state == state

    @property
    def local(self) -> bool:
        """Whether the LR image of a region is that region of the LR image, to one level."""
        return self.steps == _CLEAN and not self.before


def get_pipeline(spec: str | Mapping[str, Any] | Sequence[Any] | Pipeline) -> Pipeline:
    """Build a pipeline from the `degradation` of a recipe.

    Args:
        spec: a name in `PIPELINES` ("bicubic" means "clean"); a list of steps; or a mapping. A
            mapping with `name` modifies that pipeline: `clean`, `prepare` and `steps` replace its
            own, and the name of a step sets parameters of every such step. A mapping without
            `name` needs `steps`.

    Raises:
        InvalidArgument: an unknown name, step or parameter, an invalid range, or a step that the
            pipeline does not have.

    Example:
        >>> pipeline = tfsr.degradations.get_pipeline(
        ...     {"name": "faces", "noise": [0, 5], "jpeg": {"quality": [60, 95]}, "clean": 0.5}
        ... )
        >>> pipeline.clean
        0.5
    """
    if isinstance(spec, Pipeline):
        return spec
    if isinstance(spec, str):
        return _named(spec)
    if isinstance(spec, Mapping):
        return _from_mapping(spec)
    if isinstance(spec, Sequence):
        return _from_mapping({"steps": list(spec)})
    raise InvalidArgument(
        f"must be a name, a mapping or a list of steps; received {spec!r}", "degradation"
    )


@cache
def _named(name: str) -> Pipeline:
    check_choice("degradation", name, [*PIPELINES, *_ALIASES])
    name = _ALIASES.get(name, name)
    data = dict(PIPELINES[name])
    title = data.pop("title")
    return replace(_from_mapping(data), name=name, title=title, spec=name)


def _from_mapping(spec: Mapping[str, Any]) -> Pipeline:
    named = "name" in spec
    known = [*_KEYS, *(DEGRADATIONS.names() if named else ())]
    for key in spec:
        check_choice("a key of degradation", key, known)
    base = Pipeline("custom", "custom degradations", _plain(spec), 0.0, (), ())
    if named:
        if not isinstance(spec["name"], str):
            raise InvalidArgument(f"must be a name; received {spec['name']!r}", "degradation.name")
        base = _named(spec["name"])
        if len(spec) == 1:
            return base
        data = _plain({**spec, "name": base.name})
        base = replace(base, title=f"{base.title}, modified", spec=data)
    elif "steps" not in spec:
        raise InvalidArgument("needs a name or steps", "degradation")
    with ranges.within("degradation"):
        return _modified(base, spec)


def _modified(pipeline: Pipeline, changes: Mapping[str, Any]) -> Pipeline:
    clean = ranges.read_number(changes.get("clean", pipeline.clean), "clean", 0, 1)
    before = read_steps(changes.get("prepare", pipeline.before), "prepare")
    steps = read_steps(changes.get("steps", pipeline.steps), "steps")
    for name in [key for key in changes if key not in _KEYS]:
        with ranges.within(name):
            arguments = read_arguments(name, changes[name])
            steps, count = override(steps, name, arguments)
            before, more = override(before, name, arguments)
        if count + more == 0:
            raise InvalidArgument(f"pipeline {pipeline.name!r} has no step {name!r} to modify")
    return replace(pipeline, clean=clean, before=before, steps=steps)


def _plain(value: Any) -> Any:
    """Copy plain data, with lists for tuples, as YAML and JSON have it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _apply(operations: Sequence[Operation], image: np.ndarray, rng: ranges.Rng) -> np.ndarray:
    for operation in operations:
        image = operation(image, rng)
    return byte_levels(image)
