"""The base class of the losses."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Loss(keras.losses.Loss):
    """A loss in float32, whatever the dtype policy.

    `call` returns values with the batch axis first, which Keras averages: over the whole batch,
    however many replicas share it.

    Args:
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.
    """

    needs_patch = False
    """Whether the targets must be dense patches (B, H, W, 3): no scattered pixels, no lattices."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})


def difference(y_true: Any, y_pred: Any) -> Any:
    """The prediction less the target, in float32."""
    # `call` can be reached without Keras' own cast in `__call__`, so the promise is kept here.
    return ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
