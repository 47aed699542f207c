"""Several losses as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.losses.loss import Loss


@keras.saving.register_keras_serializable("tfsr")
class WeightedSum(Loss):
    """The weighted sum of several losses of the same predictions.

    Each is averaged over a sample first, so that a loss of pixels and one of patches add up to one
    number a sample, which several replicas average as one device does.

    Args:
        losses: sequence of `Loss`. Their own reductions are not used.
        weights: sequence of float. One for each, above 0.
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (B, ..., 3) target colours in [0, 1], shaped as every one of the losses takes them.
        y_pred: (B, ..., 3) predicted colours, unclipped.

    Raises:
        InvalidArgument: there are no losses, or not one weight above 0 for each.

    Example:
        >>> loss = WeightedSum([tfsr.losses.Charbonnier(), tfsr.losses.Fourier()], [1.0, 0.05])
    """

    def __init__(self, losses: Sequence[Loss], weights: Sequence[float], **kwargs: Any) -> None:
        if not losses or len(losses) != len(weights):
            raise InvalidArgument(
                f"a weighted sum takes one weight a loss; received {len(losses)} losses and "
                f"{len(weights)} weights"
            )
        super().__init__(**{"name": "weighted_sum", **kwargs})
        self.losses = list(losses)
        self.weights = [check_weight(weight) for weight in weights]
        self.needs_patch = any(loss.needs_patch for loss in losses)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample, (B,)."""
        return sum(
            weight * _per_sample(loss.call(y_true, y_pred))
            for loss, weight in zip(self.losses, self.weights, strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        losses = [keras.losses.serialize(loss) for loss in self.losses]
        return {**super().get_config(), "losses": losses, "weights": self.weights}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WeightedSum:
        """Return the loss of what `get_config` gave."""
        losses = [keras.losses.deserialize(loss) for loss in config["losses"]]
        return cls(**{**config, "losses": losses})


def check_weight(weight: Any) -> float:
    """Return a loss's weight as a float.

    Raises:
        InvalidArgument: it is not a finite number above 0.
    """
    if (
        not isinstance(weight, (int, float))
        or isinstance(weight, bool)
        or not 0 < weight < math.inf
    ):
        raise InvalidArgument(f"the weight of a loss must be a number above 0; received {weight!r}")
    return float(weight)


def _per_sample(values: Any) -> Any:
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))
