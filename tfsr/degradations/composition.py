"""Steps that contain steps, and the reading of steps from plain data.

Plain data is a list of steps, each a name with its parameters:
`[{blur: [0.1, 3]}, {jpeg: {quality: [30, 95]}}]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfsr.degradations import ranges
from tfsr.degradations.ranges import Rng
from tfsr.degradations.step import DEGRADATIONS, Operation, SizeState, Step
from tfsr.errors import InvalidArgument, check_choice

Steps = tuple[Step, ...]


def read_steps(value: Any, where: str) -> Steps:
    """Read a list of steps from plain data; `where` is its position in the recipe."""
    if not isinstance(value, (list, tuple)):
        raise InvalidArgument(
            f"must be a list of steps, such as [{{jpeg: [30, 95]}}]; received {value!r}", where
        )
    return tuple(_read_step(item, f"{where}[{i}]") for i, item in enumerate(value))


def read_arguments(name: str, value: Any) -> dict[str, Any]:
    """Return the arguments of a step: `value` is a mapping, its main parameter alone, or None."""
    if not isinstance(value, Mapping):
        value = {} if value is None else {DEGRADATIONS.get(name).main: value}
    DEGRADATIONS.get(name, value)
    return dict(value)


def _read_step(item: Any, where: str) -> Step:
    if isinstance(item, Step):
        return item
    item = {item: None} if isinstance(item, str) else item
    if not isinstance(item, Mapping) or len(item) != 1:
        raise InvalidArgument(
            f"must be one step, such as {{jpeg: [30, 95]}}; received {item!r}", where
        )
    ((name, value),) = item.items()
    check_choice(where, name, DEGRADATIONS.names())
    with ranges.within(f"{where}.{name}"):
        return DEGRADATIONS.get(name)(**read_arguments(name, value))


def _read_branches(value: Any, where: str) -> Steps:
    if isinstance(value, (list, tuple)):
        value = [item if isinstance(item, Stage) else {"stage": item} for item in value]
    branches = read_steps(value, where)
    ranges.check_sum([branch.probability for branch in branches], where)
    return branches


@dataclass(frozen=True)
class Stage(Step, name="stage"):
    """Steps that are applied together.

    Attributes:
        steps: in order.
    """

    steps: Steps = ranges.parameter((), read_steps)

    def operations(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample each step."""
        return sample_steps(self.steps, rng, sizes)


@dataclass(frozen=True)
class Shuffle(Stage, name="shuffle", main="steps"):
    """Steps in random order."""

    def operations(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample the order, and each step."""
        return sample_steps([self.steps[i] for i in rng.permutation(len(self.steps))], rng, sizes)


@dataclass(frozen=True)
class OneOf(Step, name="one_of", main="branches"):
    """One of several lists of steps.

    Attributes:
        branches: stages; the sum of their probabilities is 1.
    """

    branches: tuple[Stage, ...] = ranges.parameter((), _read_branches)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.branches:
            raise InvalidArgument("must be a list of {probability, steps}", "branches")

    def operations(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample the branch, and its steps."""
        chances = [branch.probability for branch in self.branches]
        return self.branches[ranges.pick_weighted(rng, chances)].operations(rng, sizes)


def sample_steps(steps: Sequence[Step], rng: Rng, sizes: SizeState) -> list[Operation]:
    """Sample the operations of steps, in order."""
    return [operation for step in steps for operation in step.sample(rng, sizes)]


def override(steps: Steps, name: str, values: Mapping[str, Any]) -> tuple[Steps, int]:
    """Set parameters of all steps of a name, nested ones included; also return their number."""
    count = 0

    def visit(step: Step) -> Step:
        nonlocal count
        if step.name == name:
            step, count = replace(step, **values), count + 1
        if isinstance(step, OneOf):
            return replace(step, branches=tuple(map(descend, step.branches)))
        return descend(step) if isinstance(step, Stage) else step

    def descend(stage: Stage) -> Stage:
        return replace(stage, steps=tuple(map(visit, stage.steps)))

    return tuple(map(visit, steps)), count
