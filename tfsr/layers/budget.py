"""A limit on the layers and weights that a configuration may describe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tfsr.errors import InvalidArgument


class _Budget:
    def __init__(self, layers: int, weights: int) -> None:
        self.most = {"layers": layers, "weights": weights}
        self.left = dict(self.most)

    def spend(self, kind: str, number: int) -> None:
        self.left[kind] -= number
        if self.left[kind] < 0:
            raise InvalidArgument(
                f"the model would have more than {self.most[kind]} {kind}, which the file does not "
                "fill"
            )


_BUDGET: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limited(layers: int, weights: int) -> Iterator[None]:
    """Limit what is built inside; the rest is neither made nor allocated.

    Args:
        layers: the most layers of this package, each with its parts.
        weights: the most numbers in their weights.

    Raises:
        InvalidArgument: from the constructor or `build` of the first layer beyond the limit.
    """
    token = _BUDGET.set(_Budget(layers, weights))
    try:
        yield
    finally:
        _BUDGET.reset(token)


class Budgeted:
    """Mixin of every layer of this package: counts it and its weights."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        budget = _BUDGET.get()
        if budget is not None:
            budget.spend("layers", 1)
        super().__init__(*args, **kwargs)

    def add_weight(self, shape: Sequence[int] | None = None, *args: Any, **kwargs: Any) -> Any:
        """Add a weight as Keras does, within the budget."""
        budget = _BUDGET.get()
        if budget is not None:
            budget.spend("weights", math.prod(shape or ()))
        return super().add_weight(shape, *args, **kwargs)  # type: ignore[misc]
