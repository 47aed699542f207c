"""A checkpoint's weights, each taken once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsr.errors import CheckpointError

Assignments = Iterator[tuple[Any, np.ndarray]]
"""Variables, each with its value."""


class WeightSource:
    """The weights of a checkpoint: every one must be taken, in the shape it is needed in.

    Args:
        weights: name to array.
        unused: names that are knowingly left out.
    """

    def __init__(self, weights: Mapping[str, Any], unused: re.Pattern[str] | None = None) -> None:
        self._weights = {
            name: np.asarray(value)
            for name, value in weights.items()
            if unused is None or not unused.fullmatch(name)
        }

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The weight of this name.

        Raises:
            CheckpointError: if there is none, it was taken before, or its shape is another.
        """
        if name not in self._weights:
            raise CheckpointError(f"the checkpoint has no weight {name!r}, which the model needs")
        value = self._weights.pop(name)
        if value.shape != shape:
            raise CheckpointError(
                f"weight {name!r} has shape {value.shape}; the model needs {shape}"
            )
        return value

    def has(self, name: str) -> bool:
        """Whether there is a weight of this name that was not taken."""
        return name in self._weights

    def finish(self) -> None:
        """Check that nothing is left over.

        Raises:
            CheckpointError: if a weight was not taken.
        """
        if self._weights:
            names = ", ".join(sorted(self._weights)[:3])
            raise CheckpointError(
                f"the checkpoint has {len(self._weights)} weights that the model has no place for: "
                f"{names}"
            )
