"""Steps from plain data and back: what a recipe's `degradation` can say.

A list of steps, each a name with its parameters: `[{blur: [0.1, 3]}, {jpeg: {quality: [30, 95]}}]`.
Three steps hold others: `stage` runs its steps with a probability, `one_of` one of several lists,
`shuffle` its steps in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import parameter, pick_weighted, read_fields
from tfsr.degradations.steps import (
    Blur,
    Canvas,
    Colour,
    Grey,
    Jpeg,
    Noise,
    Poisson,
    Resize,
    Sharpen,
    Sinc,
    Speckle,
    Step,
    ToLR,
    Webp,
)
from tfsr.errors import InvalidArgument, did_you_mean

Steps = tuple[Step, ...]


def read_steps(value: Any, where: str) -> Steps:
    """Read a list of steps.

    Args:
        value: plain data.
        where: what it is, for messages.

    Raises:
        InvalidArgument: no such list, an unknown step or parameter, or a range that cannot be.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InvalidArgument(
            f"{where} must be a list of steps, such as [{{jpeg: [30, 95]}}]; received {value!r}"
        )
    return tuple(_read_step(item, f"{where}[{i}]") for i, item in enumerate(value))


@dataclass(frozen=True)
class Stage(Step):
    """Steps that happen together.

    Attributes:
        steps: in order.
    """

    name: ClassVar[str] = "stage"

    steps: Steps = parameter((), read_steps)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw each step."""
        return [operation for step in self.steps for operation in step.draw(rng, canvas)]


@dataclass(frozen=True)
class Shuffle(Stage):
    """Steps in an order drawn anew each time.

    Attributes:
        steps: in any order.
    """

    name: ClassVar[str] = "shuffle"
    main: ClassVar[str] = "steps"

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the order, and each step."""
        order = rng.permutation(len(self.steps))
        return [operation for i in order for operation in self.steps[i].draw(rng, canvas)]


@dataclass(frozen=True)
class OneOf(Step):
    """One of several lists of steps.

    Attributes:
        branches: stages; their probabilities are those of being chosen, and their sum is 1.
    """

    name: ClassVar[str] = "one_of"
    main: ClassVar[str] = "branches"

    branches: tuple[Stage, ...] = parameter((), lambda value, where: _read_branches(value, where))

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the branch, and its steps."""
        chances = tuple(branch.probability for branch in self.branches)
        return self.branches[pick_weighted(rng, chances)].operations(rng, canvas)


STEPS: dict[str, type[Step]] = {
    kind.name: kind
    for kind in (
        *(Blur, Sinc, Resize, ToLR, Noise, Poisson, Speckle, Jpeg, Webp, Colour, Grey, Sharpen),
        *(Stage, OneOf, Shuffle),
    )
}
"""Every kind of step by the name recipes use."""


def restated(steps: Steps, name: str, values: Mapping[str, Any]) -> tuple[Steps, int]:
    """Replace parameters of every step of a kind, however deep.

    Args:
        steps: that are searched.
        name: of the kind.
        values: checked parameters.

    Returns:
        The steps, and how many were of the kind.
    """
    found, count = [], 0
    for step in steps:
        if step.name == name:
            step, count = replace(step, **values), count + 1
        if isinstance(step, Stage):
            inner, more = restated(step.steps, name, values)
            step, count = replace(step, steps=inner), count + more
        elif isinstance(step, OneOf):
            branches = []
            for branch in step.branches:
                inner, more = restated(branch.steps, name, values)
                branches.append(replace(branch, steps=inner))
                count += more
            step = replace(step, branches=tuple(branches))
        found.append(step)
    return tuple(found), count


def read_parameters(name: str, value: Any, where: str) -> dict[str, Any]:
    """Read what stands beside the name of a step: its main parameter, or a mapping of several.

    Raises:
        InvalidArgument: an unknown parameter, or a range that cannot be.
    """
    kind = STEPS[name]
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        value = {kind.main: value}
    return read_fields(kind, value, where)


def steps_as_data(steps: Steps) -> list[dict[str, Any]]:
    """Write steps as plain data, from which `read_steps` makes equal ones."""
    return [{step.name: _as_data(step)} for step in steps]


def _read_step(item: Any, where: str) -> Step:
    if isinstance(item, str):
        item = {item: None}
    if not isinstance(item, Mapping) or len(item) != 1:
        raise InvalidArgument(
            f"{where} must be one step, such as {{jpeg: [30, 95]}}; received {item!r}"
        )
    ((name, value),) = item.items()
    if name not in STEPS:
        raise InvalidArgument(
            f"{where} must be one of {', '.join(STEPS)}; received {name!r}."
            + did_you_mean(str(name), STEPS)
        )
    step = STEPS[name](**read_parameters(name, value, f"{where}.{name}"))
    if isinstance(step, OneOf) and not step.branches:
        raise InvalidArgument(f"{where}.one_of needs branches: a list of {{probability, steps}}")
    return step


def _read_branches(value: Any, where: str) -> tuple[Stage, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise InvalidArgument(
            f"{where} must be a list of {{probability, steps}}; received {value!r}"
        )
    branches = []
    for i, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise InvalidArgument(f"{where}[{i}] must be {{probability, steps}}; received {item!r}")
        branches.append(Stage(**read_fields(Stage, item, f"{where}[{i}]")))
    total = sum(branch.probability for branch in branches)
    if not 0.999 < total < 1.001:
        raise InvalidArgument(
            f"{where} must have probabilities whose sum is 1; received a sum of {total:g}"
        )
    return tuple(branches)


def _as_data(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for f in fields(step):
        value = getattr(step, f.name)
        if value == f.default:
            continue
        if isinstance(step, OneOf) and f.name == "branches":
            data[f.name] = [_as_data(branch) for branch in value]
        elif isinstance(step, Stage) and f.name == "steps":
            data[f.name] = steps_as_data(value)
        elif isinstance(step, Blur) and f.name == "kernels":
            data[f.name] = dict(value)
        else:
            data[f.name] = list(value) if isinstance(value, tuple) else value
    return data
