"""Losses of single pixels, on images in [0, 1].

The papers train on [-1, 1]. There every difference is twice ours, which changes two things that the
class docstrings spell out: Charbonnier's epsilon, and the gradients' length.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.losses.loss import Loss, difference


@keras.saving.register_keras_serializable("tfsr")
class Charbonnier(Loss):
    """Charbonnier loss, a smooth L1: the mean of `sqrt(d^2 + epsilon^2)`.

    The published epsilon, 1e-3, belongs to images in [-1, 1] (the authors of ARASFSR write
    `sqrt(d^2 + 1e-6)`). Ours are in [0, 1], where the same curve has epsilon 5e-4: the loss is half
    the published one at every point, and so is its gradient. Adam does not see the factor.

    The computation is float32 whatever the dtype policy: bfloat16 cannot tell `d^2 + epsilon^2`
    from `d^2` once `d` exceeds 16 epsilon.

    Args:
        epsilon: float. Where the curve turns from quadratic to linear, in units of the images'
            [0, 1] range. Defaults to 5e-4.
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (..., 3) target colours in [0, 1].
        y_pred: (..., 3) predicted colours, unclipped.

    Raises:
        InvalidArgument: epsilon is not positive.

    Example:
        >>> model.compile("adam", loss=tfsr.losses.Charbonnier(epsilon=1e-3))

    Reference:
        Lai et al., "Fast and Accurate Image Super-Resolution with Deep Laplacian Pyramid Networks",
        section 3.3, https://arxiv.org/abs/1710.01992
    """

    def __init__(self, epsilon: float = 5e-4, **kwargs: Any) -> None:
        if not isinstance(epsilon, (int, float)) or not 0 < epsilon < math.inf:
            raise InvalidArgument(f"epsilon must be a positive number; received {epsilon!r}")
        super().__init__(**{"name": "charbonnier", **kwargs})
        self.epsilon = float(epsilon)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        squared = ops.square(difference(y_true, y_pred))
        return ops.mean(ops.sqrt(squared + self.epsilon**2), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("tfsr")
class L1(Loss):
    """Mean absolute error, computed in float32 whatever the dtype policy.

    LIIF, Meta-SR, LTE and DIINN train with it on images in [-1, 1]; the published loss and its
    gradients are twice ours. Adam does not see the factor.

    Args:
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (..., 3) target colours in [0, 1].
        y_pred: (..., 3) predicted colours, unclipped.

    Example:
        >>> model.compile("adam", loss=tfsr.losses.L1())

    Reference:
        Chen, Liu, Wang, "Learning Continuous Image Representation with Local Implicit Image
        Function", section 4.2, https://arxiv.org/abs/2012.09161
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "l1", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        return ops.mean(ops.abs(difference(y_true, y_pred)), axis=-1)


@keras.saving.register_keras_serializable("tfsr")
class L2(Loss):
    """Mean squared error, computed in float32 whatever the dtype policy.

    What PSNR measures. On images in [-1, 1] it is four times as large as here, in [0, 1].

    Args:
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (..., 3) target colours in [0, 1].
        y_pred: (..., 3) predicted colours, unclipped.

    Example:
        >>> model.compile("adam", loss=tfsr.losses.L2())

    Reference:
        Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", section 3.3,
        https://arxiv.org/abs/1501.00092
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "l2", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        return ops.mean(ops.square(difference(y_true, y_pred)), axis=-1)
