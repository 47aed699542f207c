"""Assigning the weights of a checkpoint to a model, each once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfsr.errors import CheckpointError
from tfsr.models import ImplicitSR


def stored_numbers(weights: Mapping[str, Any]) -> int:
    """Return how many numbers arrays have, counting once what several of them share."""
    stored = {}
    for array in weights.values():
        while isinstance(array.base, np.ndarray):
            array = array.base
        stored[id(array)] = array.size
    return sum(stored.values())


class WeightLoader:
    """The weights of a checkpoint: every one must be taken, in the shape that the model needs.

    Args:
        weights: name to array.
        unused: names that are ignored.
    """

    def __init__(self, weights: Mapping[str, Any], unused: re.Pattern[str] | None = None) -> None:
        self._weights = {
            name: np.asarray(value)
            for name, value in weights.items()
            if unused is None or not unused.fullmatch(name)
        }
        self._assignments: list[tuple[Any, np.ndarray]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._weights

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the weight of a name, or raise CheckpointError.

        Raises:
            CheckpointError: it is missing, misshapen, or has a number that is not finite.
        """
        if name not in self._weights:
            raise CheckpointError(f"the checkpoint has no weight {name!r}, which the model needs")
        value = self._weights.pop(name)
        if value.shape != shape:
            raise CheckpointError(
                f"weight {name!r} has shape {value.shape}; the model needs {shape}"
            )
        if not np.isfinite(value).all():
            raise CheckpointError(f"weight {name!r} is not finite; train or copy it again")
        return value

    def assign(self, variable: Any, value: np.ndarray) -> None:
        """Schedule an assignment, made when all weights have been taken."""
        self._assignments.append((variable, value))

    def load(self, model: ImplicitSR, readers: Mapping[type, Callable[..., None]]) -> None:
        """Fill a model; `readers` take the weights of each class of encoder and decoder.

        Raises:
            CheckpointError: if a weight is missing, left over, or of another shape. The model is
                then unchanged.
        """
        for part in (model.encoder, model.decoder):
            if type(part) not in readers:
                raise CheckpointError(f"no published weights are known for {type(part).__name__}")
            readers[type(part)](part, self)
        if self._weights:
            names = ", ".join(sorted(self._weights)[:3])
            raise CheckpointError(
                f"the checkpoint has {len(self._weights)} weights that the model has no place for: "
                f"{names}"
            )
        for variable, value in self._assignments:
            variable.assign(value)
