"""Training losses on pictures in [0, 1].

The papers train on [-1, 1]. There every difference is twice ours, which changes two things that the
class docstrings spell out: Charbonnier's epsilon, and the gradients' length.
"""

from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument


@keras.saving.register_keras_serializable("tfsr")
class Charbonnier(keras.losses.Loss):
    """Charbonnier loss, a smooth L1: the mean of `sqrt(d^2 + epsilon^2)`.

    The published epsilon, 1e-3, belongs to pictures in [-1, 1] (the authors of ARASFSR write
    `sqrt(d^2 + 1e-6)`). Ours are in [0, 1], where the same curve has epsilon 5e-4: the loss is half
    the published one at every point, and so is its gradient. Adam does not see the factor.

    The computation is float32 whatever the dtype policy: bfloat16 cannot tell `d^2 + epsilon^2`
    from `d^2` once `d` exceeds 16 epsilon.

    Args:
        epsilon: float. Where the curve turns from quadratic to linear, in units of the pictures'
            [0, 1] range. Defaults to 5e-4.
        reduction: str. As in `keras.losses.Loss`. Defaults to `"sum_over_batch_size"`.
        name: str. Defaults to `"charbonnier"`.

    Call arguments:
        y_true: (..., 3) target colours in [0, 1].
        y_pred: (..., 3) predicted colours, unclipped.

    Raises:
        InvalidArgument: epsilon is not positive.

    Reference:
        Lai et al., "Fast and Accurate Image Super-Resolution with Deep Laplacian Pyramid Networks",
        section 3.3, https://arxiv.org/abs/1710.01992
    """

    def __init__(
        self,
        epsilon: float = 5e-4,
        reduction: str = "sum_over_batch_size",
        name: str = "charbonnier",
    ) -> None:
        if not epsilon > 0:
            raise InvalidArgument(f"epsilon must be a positive number; received {epsilon!r}")
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.epsilon = float(epsilon)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        difference = _difference(y_true, y_pred)
        return ops.mean(ops.sqrt(ops.square(difference) + self.epsilon**2), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("tfsr")
class L1(keras.losses.Loss):
    """Mean absolute error, computed in float32 whatever the dtype policy.

    LIIF, Meta-SR, LTE and DIINN train with it on pictures in [-1, 1]; the published loss and its
    gradients are twice ours. Adam does not see the factor.

    Args:
        reduction: str. As in `keras.losses.Loss`. Defaults to `"sum_over_batch_size"`.
        name: str. Defaults to `"l1"`.

    Call arguments:
        y_true: (..., 3) target colours in [0, 1].
        y_pred: (..., 3) predicted colours, unclipped.
    """

    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "l1") -> None:
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        return ops.mean(ops.abs(_difference(y_true, y_pred)), axis=-1)


def _difference(y_true: Any, y_pred: Any) -> Any:
    # `call` can be reached without Keras' own cast in `__call__`, so the promise is kept here.
    return ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
