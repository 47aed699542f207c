"""Reading the parameters of steps from plain data, each with what it accepts.

A dataclass field made by one of these functions carries a reader: plain data and the parameter's
name in, the checked value out, InvalidArgument if it cannot be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument, did_you_mean

Range = tuple[float, float]
"""(min, max), drawn uniformly; equal ends are one value, and nothing is drawn."""

Reader = Callable[[Any, str], Any]


def parameter(default: Any, read: Reader) -> Any:
    """A dataclass field with a reader."""
    return field(default=default, metadata={"read": read})


def span(default: Any, least: float = 0.0, most: float = math.inf, whole: bool = False) -> Any:
    """A field that holds a `Range` between limits; a single number is a range too."""
    return parameter(default, lambda value, where: read_span(value, where, least, most, whole))


def number(default: float, least: float = 0.0, most: float = math.inf) -> Any:
    """A field that holds a number between limits."""
    return parameter(default, lambda value, where: read_number(value, where, least, most))


def probability(default: float) -> Any:
    """A field that holds a probability."""
    return number(default, 0, 1)


def flag(default: bool) -> Any:
    """A field that is true or false."""
    return parameter(default, _read_flag)


def choices(default: tuple[str, ...], names: Iterable[str]) -> Any:
    """A field that holds names, each as likely as the others; one name alone will do."""
    return parameter(default, lambda value, where: _read_choices(value, where, tuple(names)))


def weights(default: Mapping[str, float], names: Iterable[str]) -> Any:
    """A field that holds names with their probabilities, as pairs; one name alone will do."""
    known = tuple(names)
    return parameter(
        tuple(default.items()), lambda value, where: _read_weights(value, where, known)
    )


def read_fields(kind: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The keyword arguments of a dataclass whose fields carry readers.

    Args:
        kind: the dataclass.
        values: plain data by field name.
        where: what the values belong to, for messages.

    Raises:
        InvalidArgument: an unknown name, or a value that cannot be.
    """
    readers = {f.name: f.metadata["read"] for f in fields(kind) if "read" in f.metadata}
    for name in values:
        if name not in readers:
            raise InvalidArgument(
                f"{where} has no parameter {name!r}; it has {', '.join(readers)}."
                + did_you_mean(str(name), readers)
            )
    return {name: readers[name](value, f"{where}.{name}") for name, value in values.items()}


def read_number(value: Any, where: str, least: float, most: float) -> float:
    """A number between limits.

    Raises:
        InvalidArgument: anything else.
    """
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not least <= value <= most or not math.isfinite(value):
        raise InvalidArgument(f"{where} must be {_limits(least, most)}; received {value!r}")
    return value


def read_span(value: Any, where: str, least: float, most: float, whole: bool = False) -> Range:
    """(min, max) between limits, from a pair or from one number.

    Raises:
        InvalidArgument: anything else, or ends in the wrong order.
    """
    ends = list(value) if isinstance(value, (list, tuple)) else [value, value]
    if len(ends) != 2:
        raise InvalidArgument(f"{where} must be a number or [min, max]; received {value!r}")
    low, high = (read_number(end, where, least, most) for end in ends)
    if whole and not all(float(end).is_integer() for end in ends):
        raise InvalidArgument(f"{where} takes integers; received {value!r}")
    if low > high:
        raise InvalidArgument(f"{where} must be [min, max], min first; received {value!r}")
    return low, high


def uniform(rng: np.random.Generator, ends: Range) -> float:
    """Draw a number of a range."""
    return float(ends[0]) if ends[0] == ends[1] else float(rng.uniform(*ends))


def integer(rng: np.random.Generator, ends: Range) -> int:
    """Draw an integer of a range, both ends included."""
    low, high = (int(end) for end in ends)
    return low if low == high else int(rng.integers(low, high + 1))


def happens(rng: np.random.Generator, chance: float) -> bool:
    """Draw whether something of a probability happens; what is certain draws nothing."""
    return chance >= 1 or (chance > 0 and bool(rng.random() < chance))


def pick(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    """Draw one of equally likely names."""
    return names[0] if len(names) == 1 else names[int(rng.integers(len(names)))]


def pick_weighted(rng: np.random.Generator, chances: tuple[float, ...]) -> int:
    """Draw an index by probability, in proportion."""
    if len(chances) == 1:
        return 0
    ends = np.cumsum(chances)
    return int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))


def _read_flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgument(f"{where} must be true or false; received {value!r}")
    return value


def _read_choices(value: Any, where: str, names: tuple[str, ...]) -> tuple[str, ...]:
    chosen = list(value) if isinstance(value, (list, tuple)) else [value]
    if not chosen:
        raise InvalidArgument(f"{where} must name at least one of {', '.join(names)}")
    return tuple(_known(name, where, names) for name in chosen)


def _read_weights(value: Any, where: str, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    if isinstance(value, str):
        value = {value: 1.0}
    if not isinstance(value, Mapping):
        raise InvalidArgument(
            f"{where} must be a name, or names with their probabilities; received {value!r}"
        )
    pairs = tuple(
        (_known(name, where, names), read_number(chance, f"{where}.{name}", 0, 1))
        for name, chance in value.items()
    )
    if not 0.999 < sum(chance for _, chance in pairs) < 1.001:
        raise InvalidArgument(f"{where} must have probabilities whose sum is 1; received {value!r}")
    return pairs


def _known(name: Any, where: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise InvalidArgument(
            f"{where} must be one of {', '.join(names)}; received {name!r}."
            + did_you_mean(str(name), names)
        )
    return name


def _limits(least: float, most: float) -> str:
    if math.isinf(most):
        return f"a number of at least {least:g}"
    return f"a number between {least:g} and {most:g}"
