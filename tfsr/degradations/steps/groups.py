"""Steps made of steps: a stage, one of several, several in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import parameter, pick_weighted, read_fields, read_number
from tfsr.degradations.steps.filters import Blur, Sharpen, Sinc
from tfsr.degradations.steps.noises import Noise, Poisson, Speckle
from tfsr.degradations.steps.saving import Colour, Grey, Jpeg, Webp
from tfsr.degradations.steps.sizes import Resize, ToLR
from tfsr.degradations.steps.step import Canvas, Step, parameters_of
from tfsr.errors import InvalidArgument, did_you_mean


def _read_weights(value: Any, where: str) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise InvalidArgument(f"{where} must be a list of numbers; received {value!r}")
    weights = tuple(read_number(x, f"{where}[{i}]", 0, 1e6) for i, x in enumerate(value))
    if not sum(weights):
        raise InvalidArgument(f"{where} must not all be 0; received {value!r}")
    return weights


@dataclass(frozen=True)
class Stage(Step):
    """Steps one after the other, all or none of them.

    Attributes:
        steps: the steps.
    """

    name: ClassVar[str] = "stage"
    main: ClassVar[str] = "steps"

    steps: tuple[Step, ...] = parameter((), lambda value, where: read_steps(value, where))

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw each step's parameters."""
        return [operation for step in self.steps for operation in step.draw(rng, canvas)]

    def restated(self, changes: Mapping[str, Any], where: str) -> Step:
        """The same with other parameters of the steps within."""
        return replace(self, steps=tuple(step.restated(changes, where) for step in self.steps))


@dataclass(frozen=True)
class OneOf(Stage):
    """One step of several.

    Attributes:
        weights: of the steps, in proportion to their probabilities; empty: equal ones.
    """

    name: ClassVar[str] = "one_of"

    weights: tuple[float, ...] = parameter((), _read_weights)

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.steps):
            raise InvalidArgument(
                f"one_of.weights must be as many as its steps, {len(self.steps)}; received "
                f"{list(self.weights)}"
            )

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw one, and its parameters."""
        chosen = pick_weighted(rng, self.weights or (1.0,) * len(self.steps))
        return self.steps[chosen].draw(rng, canvas)


@dataclass(frozen=True)
class Shuffle(Stage):
    """Steps in any order."""

    name: ClassVar[str] = "shuffle"

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the order, and each step's parameters."""
        order = rng.permutation(len(self.steps))
        return [operation for i in order for operation in self.steps[i].draw(rng, canvas)]


STEPS: dict[str, type[Step]] = {
    kind.name: kind
    for kind in (
        *(Blur, Sinc, Resize, ToLR, Noise, Poisson, Speckle, Jpeg, Webp, Colour, Grey, Sharpen),
        *(Stage, OneOf, Shuffle),
    )
}
"""The steps of pipelines, by the names that recipes use."""


def read_steps(value: Any, where: str) -> tuple[Step, ...]:
    """The steps of plain data: a list of names, or of mappings of one name to its parameters.

    Args:
        value: plain data, such as `[{"blur": [0.1, 3]}, {"jpeg": {"quality": [30, 95]}}, "grey"]`.
        where: what it stands under, for messages.

    Raises:
        InvalidArgument: an unknown step or parameter, or a value that cannot be.
    """
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise InvalidArgument(f"{where} must be a list of steps; received {value!r}")
    return tuple(_read_step(item, f"{where}[{i}]") for i, item in enumerate(value))


def _read_step(value: Any, where: str) -> Step:
    if isinstance(value, Step):
        return value
    if isinstance(value, str):
        value = {value: {}}
    if not isinstance(value, Mapping) or len(value) != 1:
        raise InvalidArgument(
            f"{where} must be a step's name, or one name with its parameters; received {value!r}"
        )
    [(name, parameters)] = value.items()
    if name not in STEPS:
        raise InvalidArgument(
            f"{where} must be one of {', '.join(STEPS)}; received {name!r}."
            + did_you_mean(str(name), STEPS)
        )
    kind = STEPS[name]
    return kind(**read_fields(kind, parameters_of(kind, parameters), f"{where}.{name}"))
