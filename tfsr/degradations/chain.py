"""A pipeline of degradations: from an original to its LR image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tfsr.degradations.catalogue import ALIASES, CATALOGUE
from tfsr.degradations.grammar import (
    STEPS,
    Steps,
    read_parameters,
    read_steps,
    restated,
    steps_as_data,
)
from tfsr.degradations.levels import byte_levels
from tfsr.degradations.operations import RANDOM, Operation
from tfsr.degradations.parameters import happens, read_number
from tfsr.degradations.steps import Box, Canvas, Size, ToLR
from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.images.pixel_types import check_rgb
from tfsr.images.resizing import check_size

_KEYS = ("clean", "prepare", "steps")
_CLEAN = (ToLR(),)


@dataclass(frozen=True)
class Pipeline:
    """Degradations in a row, with the ranges that their parameters are drawn from.

    Attributes:
        name: a key of `PIPELINES`, or "custom".
        title: what it is, in words.
        spec: the plain data it was made of, from which `get_pipeline` makes an equal one.
        clean: probability that the LR image is a bicubic reduction and nothing else.
        before: steps that the original goes through before HR and LR images are made of it.
        steps: from the original to the LR image.

    Example:
        >>> import numpy as np
        >>> from tfsr.degradations import get_pipeline
        >>> pipeline = get_pipeline({"name": "faces", "noise": [0, 5], "clean": 0})
        >>> original = np.full((64, 64, 3), 128, np.uint8)
        >>> rng = np.random.default_rng([0, 7])
        >>> original = pipeline.prepare(original, rng)
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
        """Return the original that HR and LR images are made of.

        Real-ESRGAN sharpens it; most pipelines return it as it is, and draw nothing.

        Args:
            image: (H, W, 3) uint8.
            rng: what is drawn from.

        Returns:
            (H, W, 3) uint8.

        Raises:
            InvalidArgument: not an 8-bit RGB image.
        """
        check_rgb(image, np.uint8)
        size = (image.shape[0], image.shape[1])
        canvas = Canvas(size, size, (0, 0, *size), size)
        return _run([x for step in self.before for x in step.draw(rng, canvas)], image, rng)

    def degrade(
        self,
        image: np.ndarray,
        size: Size,
        rng: np.random.Generator,
        box: Box | None = None,
    ) -> np.ndarray:
        """Make the LR image of an original, or of a region of it.

        Args:
            image: (H, W, 3) uint8, what `prepare` returned.
            size: (h, w) of the LR image.
            rng: what everything is drawn from: the same state, the same image.
            box: (top, left, bottom, right) of the region that the LR image shows, in pixels of the
                original, fractions allowed; filters see what lies around it. None: all of it.

        Returns:
            (h, w, 3) uint8.

        Raises:
            InvalidArgument: not an 8-bit RGB image, or an impossible size.
        """
        check_rgb(image, np.uint8)
        size = check_size(size)
        return _run(self.draw((image.shape[0], image.shape[1]), size, rng, box), image, rng)

    def draw(
        self, original: Size, size: Size, rng: np.random.Generator, box: Box | None = None
    ) -> list[Operation]:
        """Draw the degradations with all their parameters, without an image.

        Args:
            original: (H, W) of the original.
            size: (h, w) of the LR image.
            rng: what is drawn from. What it is left at, the noise of each pixel is drawn from.
            box: region of the original that the LR image shows; None: all of it.
        """
        canvas = Canvas(original, size, box or (0, 0, *original), original)
        if self.clean and happens(rng, self.clean):
            return [operation for step in _CLEAN for operation in step.draw(rng, canvas)]
        operations = [operation for step in self.steps for operation in step.draw(rng, canvas)]
        if not canvas.is_lr or canvas.current != size:
            operations += [operation for step in _CLEAN for operation in step.draw(rng, canvas)]
        return operations

    @property
    def deterministic(self) -> bool:
        """Whether `prepare` and `degrade` draw nothing: LR images depend on the original alone."""
        refusing: Any = _Refusing()
        canvas = Canvas((64, 64), (16, 16), (0, 0, 64, 64), (64, 64))
        try:
            operations = self.draw((64, 64), (16, 16), refusing)
            operations += [x for step in self.before for x in step.draw(refusing, canvas)]
        except _Drawn:
            return False
        return not any(operation.name in RANDOM for operation in operations)

    @property
    def local(self) -> bool:
        """Whether a region of the LR image is that of the whole one, to a level of rounding."""
        return self.steps == _CLEAN and not self.before

    @property
    def data(self) -> dict[str, Any]:
        """All of it as plain data, whatever a later version's `PIPELINES` say."""
        data = {"clean": self.clean, "prepare": steps_as_data(self.before)}
        return {k: v for k, v in data.items() if v} | {"steps": steps_as_data(self.steps)}


def get_pipeline(spec: str | Mapping[str, Any] | Sequence[Any] | Pipeline) -> Pipeline:
    """Make a pipeline of what a recipe says.

    Args:
        spec: a name of `PIPELINES` ("bicubic" is another name of "clean"); a list of steps; or a
            mapping. A mapping with `name` restates a pipeline: `clean`, `prepare` and `steps`
            replace its own, and the name of a step restates parameters of every such step, as in
            {"name": "faces", "noise": [0, 5], "jpeg": {"quality": [60, 95]}, "clean": 0.5}. One
            without `name` needs `steps`.

    Raises:
        InvalidArgument: an unknown name, step or parameter, a range that cannot be, or a step that
            the pipeline does not have. The message is one line that names it.
    """
    if isinstance(spec, Pipeline):
        return spec
    if isinstance(spec, str):
        return _named(spec)
    if isinstance(spec, Mapping):
        return _restated(spec) if "name" in spec else _custom(spec)
    if isinstance(spec, Sequence):
        return _custom({"steps": spec})
    raise InvalidArgument(
        f"degradation must be a name, a mapping or a list of steps; received {spec!r}"
    )


PIPELINES: Mapping[str, Mapping[str, Any]] = CATALOGUE
"""The named pipelines as plain data: `title`, `clean`, `prepare` and `steps`."""


@cache
def _named(name: str) -> Pipeline:
    known = [*PIPELINES, *ALIASES]
    if name not in known:
        raise InvalidArgument(
            f"degradation must be one of {', '.join(known)}; received {name!r}."
            + did_you_mean(name, known)
        )
    name = ALIASES.get(name, name)
    data = {key: value for key, value in PIPELINES[name].items() if key != "title"}
    return replace(_custom(data), name=name, title=PIPELINES[name]["title"], spec=name)


def _custom(data: Mapping[str, Any]) -> Pipeline:
    for key in data:
        if key not in _KEYS:
            raise InvalidArgument(
                f"degradation has no key {key!r}; it has name, {', '.join(_KEYS)}."
                + did_you_mean(str(key), ("name", *_KEYS))
            )
    if "steps" not in data:
        raise InvalidArgument("degradation needs a name or steps")
    return Pipeline(
        "custom",
        "a recipe's own degradations",
        _plain(data),
        read_number(data.get("clean", 0), "degradation.clean", 0, 1),
        read_steps(data.get("prepare", ()), "degradation.prepare"),
        read_steps(data["steps"], "degradation.steps"),
    )


def _restated(spec: Mapping[str, Any]) -> Pipeline:
    if not isinstance(spec["name"], str):
        raise InvalidArgument(f"degradation.name must be a name; received {spec['name']!r}")
    pipeline = _named(spec["name"])
    own = {key: spec[key] for key in _KEYS if key in spec}
    whole = _custom({**pipeline.data, **own})
    steps, before = whole.steps, whole.before
    for key, value in spec.items():
        if key == "name" or key in _KEYS:
            continue
        if key not in STEPS:
            known = ("name", *_KEYS, *STEPS)
            raise InvalidArgument(
                f"degradation has no key {key!r}; it has {', '.join(known)}."
                + did_you_mean(str(key), known)
            )
        values = read_parameters(key, value, f"degradation.{key}")
        steps, count = restated(steps, key, values)
        before, more = restated(before, key, values)
        if count + more == 0:
            raise InvalidArgument(f"degradation {pipeline.name!r} has no step {key!r} to restate")
    changed = len(spec) > 1
    title = f"{pipeline.title}, restated" if changed else pipeline.title
    data = _plain({**spec, "name": pipeline.name}) if changed else pipeline.name
    return Pipeline(pipeline.name, title, data, whole.clean, before, steps)


def _run(
    operations: Sequence[Operation], image: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    for operation in operations:
        image = operation(image, rng)
    return byte_levels(image)


def _plain(value: Any) -> Any:
    """Copy plain data, with lists for tuples, as YAML and JSON have it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


class _Drawn(Exception):
    """Something was drawn where nothing may be."""


class _Refusing:
    """A generator that refuses to be drawn from."""

    def __getattr__(self, name: str) -> Any:
        raise _Drawn
