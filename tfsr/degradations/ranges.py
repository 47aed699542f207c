"""Parameters of degradation steps: what each accepts, and how values are sampled.

A dataclass field made by one of these functions carries a reader, which takes plain data and the
field's name, and returns the checked value or raises InvalidArgument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument, check_choice

Rng = np.random.Generator

Range = tuple[float, float]
"""(min, max), sampled uniformly; equal ends are a constant."""


def parameter(default: Any, read: Callable[[Any, str], Any]) -> Any:
    """Return a dataclass field with a reader."""
    return field(default=default, metadata={"read": read})


def range_field(
    default: Any, low: float = 0.0, high: float = math.inf, integers: bool = False
) -> Any:
    """Return a field for a `Range` between limits; a single number is a range too."""
    return parameter(default, lambda value, name: read_range(value, name, low, high, integers))


def number_field(default: float | None, low: float = 0.0, high: float = math.inf) -> Any:
    """Return a field for a number between limits."""
    return parameter(default, lambda value, name: read_number(value, name, low, high))


def probability_field(default: float | None) -> Any:
    """Return a field for a probability."""
    return number_field(default, 0, 1)


def choice_field(default: Any, choices: Iterable[Any]) -> Any:
    """Return a field for one of several values."""

    def read(value: Any, name: str) -> Any:
        check_choice(name, value, choices)
        return value

    return parameter(default, read)


def choices_field(default: tuple[str, ...], names: Iterable[str]) -> Any:
    """Return a field for equally likely names; a single name is accepted too."""

    def read(value: Any, name: str) -> tuple[str, ...]:
        chosen = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        if not chosen:
            raise InvalidArgument(f"must name at least one of {', '.join(names)}", name)
        for item in chosen:
            check_choice(name, item, names)
        return chosen

    return parameter(default, read)


def read_number(value: Any, name: str, low: float, high: float) -> float:
    """Check a number between limits."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not low <= value <= high or not math.isfinite(value):
        limits = f"of at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise InvalidArgument(f"must be a number {limits}; received {value!r}", name)
    return value


def read_range(value: Any, name: str, low: float, high: float, integers: bool = False) -> Range:
    """Read a `Range` between limits from a pair or a single number."""
    ends = list(value) if isinstance(value, (list, tuple)) else [value, value]
    if len(ends) != 2:
        raise InvalidArgument(f"must be a number or [min, max]; received {value!r}", name)
    first, last = (read_number(end, name, low, high) for end in ends)
    if integers and not (float(first).is_integer() and float(last).is_integer()):
        raise InvalidArgument(f"must be integers; received {value!r}", name)
    if first > last:
        raise InvalidArgument(f"must be [min, max], min first; received {value!r}", name)
    return first, last


def check_sum(chances: Iterable[float], name: str) -> None:
    """Check that probabilities sum to 1."""
    total = sum(chances)
    if not 0.999 < total < 1.001:
        raise InvalidArgument(f"must have probabilities whose sum is 1, not {total:g}", name)


def check_at_most_one(step: Any, first: str, second: str) -> None:
    """Check that the sum of two probabilities of a step does not exceed 1."""
    values = getattr(step, first), getattr(step, second)
    if sum(value or 0 for value in values) > 1:
        raise InvalidArgument(f"plus {second} must not exceed 1; received {values}", first)


@contextmanager
def within(where: str) -> Iterator[None]:
    """Prefix the argument of an InvalidArgument with its position, such as "steps[0].noise"."""
    try:
        yield
    except InvalidArgument as error:
        if error.argument is None:
            raise InvalidArgument(f"{where}: {error.message}") from None
        raise InvalidArgument(error.message, f"{where}.{error.argument}") from None


def uniform(rng: Rng, ends: Range) -> float:
    """Sample a number of a range."""
    return float(ends[0]) if ends[0] == ends[1] else float(rng.uniform(*ends))


def integer(rng: Rng, ends: Range) -> int:
    """Sample an integer of a range, both ends included."""
    low, high = (int(end) for end in ends)
    return low if low == high else int(rng.integers(low, high + 1))


def happens(rng: Rng, chance: float) -> bool:
    """Sample an event of a probability; 0 and 1 leave the generator alone."""
    return chance >= 1 or (chance > 0 and bool(rng.random() < chance))


def pick(rng: Rng, names: Sequence[str]) -> str:
    """Sample one of equally likely names."""
    return names[0] if len(names) == 1 else names[int(rng.integers(len(names)))]


def pick_weighted(rng: Rng, chances: Sequence[float]) -> int:
    """Sample an index by probability."""
    if len(chances) == 1:
        return 0
    ends = np.cumsum(chances)
    return int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))
