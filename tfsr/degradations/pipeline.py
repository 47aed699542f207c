"""Pipelines of degradations: from an original to an LR image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tfsr.degradations.levels import byte_levels
from tfsr.degradations.operations import RANDOM, Operation
from tfsr.degradations.parameters import happens, read_number
from tfsr.degradations.pipelines import ALIASES, PIPELINES
from tfsr.degradations.steps import STEPS, Box, Canvas, Size, Step, read_steps
from tfsr.errors import InvalidArgument, did_you_mean

_CLEAN = read_steps(["to_lr"], "clean")
_KEYS = ("name", "clean", "prepare", "steps")


@dataclass(frozen=True)
class Pipeline:
    """What makes an LR image of an original; everything random is drawn from a generator.

    Attributes:
        name: of the named pipeline that it is, or was made from.
        steps: what happens to the original; a pipeline without `to_lr` ends with it.
        before: what happens to the original before the HR image is made of it as well.
        clean: probability of a bicubic reduction instead of the steps.

    Example:
        >>> import numpy as np
        >>> from tfsr.degradations import get_pipeline
        >>> pipeline = get_pipeline({"name": "faces", "jpeg": [60, 95]})
        >>> original = np.full((64, 64, 3), 128, np.uint8)
        >>> pipeline.degrade(original, (16, 16), np.random.default_rng(0)).shape
        (16, 16, 3)
    """

    name: str
    steps: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    clean: float = 0.0

    @cached_property
    def deterministic(self) -> bool:
        """Whether nothing is drawn from the generator."""
        rng = np.random.default_rng(0)
        state = rng.bit_generator.state
        size = (64, 64)
        canvas = Canvas(size, (16, 16), (0, 0, *size), size)
        operations = [x for step in self.before for x in step.draw(rng, canvas)]
        operations += self.draw(size, (16, 16), rng)
        drawn = rng.bit_generator.state != state
        return not drawn and not any(operation.name in RANDOM for operation in operations)

    @property
    def local(self) -> bool:
        """Whether a region of the LR image is that of the whole, to one level of rounding."""
        return self.steps == _CLEAN and not self.before

    def prepare(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What happens to an original before the LR and the HR image are made of it.

        Args:
            image: (H, W, 3) uint8.
            rng: what is drawn from.

        Returns:
            (H, W, 3) uint8.
        """
        if not self.before:
            return image
        size = (image.shape[0], image.shape[1])
        canvas = Canvas(size, size, (0, 0, *size), size)
        operations = [x for step in self.before for x in step.draw(rng, canvas)]
        return _applied(operations, image, rng)

    def draw(
        self, original: Size, lr: Size, rng: np.random.Generator, box: Box | None = None
    ) -> list[Operation]:
        """Draw what happens to an image.

        Args:
            original: (H, W) of the image.
            lr: (h, w) of the LR image.
            rng: what is drawn from.
            box: region of the image that the LR image shows; None: all of it.

        Returns:
            Degradations with their parameters, in order.
        """
        canvas = Canvas(original, lr, box or (0, 0, *original), original)
        steps = _CLEAN if happens(rng, self.clean) else self.steps
        operations = [x for step in steps for x in step.draw(rng, canvas)]
        if not canvas.is_lr:
            operations += _CLEAN[0].draw(rng, canvas)
        return operations

    def degrade(
        self,
        image: np.ndarray,
        size: Size,
        rng: np.random.Generator | None = None,
        box: Box | None = None,
    ) -> np.ndarray:
        """Make an LR image of an original.

        Args:
            image: (H, W, 3) uint8, the original. Sigmas of blur are in its pixels.
            size: (h, w) of the LR image.
            rng: what is drawn from; a deterministic pipeline takes None.
            box: (top, left, bottom, right) of the region that the LR image shows, in pixels of the
                original, fractions allowed; what lies around it is seen by filters. None: all of
                it.

        Returns:
            (h, w, 3) uint8.
        """
        rng = np.random.default_rng(0) if rng is None else rng
        original = (image.shape[0], image.shape[1])
        return _applied(self.draw(original, size, rng, box), image, rng)


def _applied(
    operations: list[Operation], image: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    for operation in operations:
        image = operation(image, rng)
    return byte_levels(image)


def get_pipeline(spec: str | Mapping[str, Any] | Pipeline) -> Pipeline:
    """The pipeline that a name, or plain data, describes.

    Args:
        spec: a name of `PIPELINES`; or a mapping with the name and what is to be other: `clean`, a
            probability; `steps` and `prepare`, whole lists of steps; or the name of a step, whose
            parameters are then other wherever the pipeline has it, such as `jpeg: [60, 95]`. With
            `steps` the name may be new.

    Raises:
        InvalidArgument: an unknown name, or a value that cannot be.

    Example:
        >>> from tfsr.degradations import get_pipeline
        >>> get_pipeline("clean").deterministic
        True
    """
    if isinstance(spec, Pipeline):
        return spec
    if isinstance(spec, str):
        spec = {"name": spec}
    if not isinstance(spec, Mapping):
        raise InvalidArgument(
            f"degradation must be a name, or a mapping with the key name; received {spec!r}"
        )
    name = spec.get("name")
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or (name not in PIPELINES and "steps" not in spec):
        raise InvalidArgument(
            f"degradation must be one of {', '.join(PIPELINES)}; received {name!r}."
            + did_you_mean(str(name), PIPELINES)
        )
    base = PIPELINES.get(name, {})
    where = f"degradation {name}"
    pipeline = Pipeline(
        name,
        read_steps(spec.get("steps", base.get("steps", [])), f"{where}: steps"),
        read_steps(spec.get("prepare", base.get("prepare", [])), f"{where}: prepare"),
        read_number(spec.get("clean", base.get("clean", 0.0)), f"{where}: clean", 0, 1),
    )
    return _restated(pipeline, {key: x for key, x in spec.items() if key not in _KEYS}, where)


def _restated(pipeline: Pipeline, changes: Mapping[str, Any], where: str) -> Pipeline:
    """The pipeline with other parameters of the steps that are named."""
    there = _names((*pipeline.before, *pipeline.steps))
    for key in changes:
        if key not in there:
            known = (*_KEYS, *sorted(there & STEPS.keys()))
            raise InvalidArgument(
                f"{where} has no {key!r}; it has {', '.join(known)}."
                + did_you_mean(str(key), known)
            )
    return replace(
        pipeline,
        steps=tuple(step.restated(changes, where) for step in pipeline.steps),
        before=tuple(step.restated(changes, where) for step in pipeline.before),
    )


def _names(steps: tuple[Step, ...]) -> set[str]:
    """The names of the steps, and of those within."""
    found = set()
    for step in steps:
        within = getattr(step, "steps", ())
        found |= _names(within) if within else {step.name}
    return found
