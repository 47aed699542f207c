"""Training losses on images in [0, 1], by name.

The papers train on images in [-1, 1], where every difference is twice ours. That changes
Charbonnier's epsilon and the length of the gradients, to which Adam is insensitive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.hints import of_module
from tfsr.registry import Registry

__all__ = ["L1", "L2", "LOSSES", "Charbonnier", "Fourier", "Loss", "WeightedSum", "from_config"]

if not TYPE_CHECKING:  # To type checkers, every name would exist.
    __getattr__ = of_module(__name__)


class Loss(keras.losses.Loss):
    """Base class: a loss computed in float32, whatever the dtype policy.

    `call` returns values with the batch axis first. Keras averages them over the whole batch, on
    one device or on several replicas.

    Args:
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (B, ..., 3) target colours in [0, 1].
        y_pred: (B, ..., 3) predicted colours, unclipped.

    Example:
        >>> [tfsr.losses.LOSSES.get(name).needs_patch for name in ("l1", "fft")]
        [False, True]
    """

    needs_patch = False
    """Whether targets must be dense patches (B, H, W, 3), not scattered points or lattices."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})


@keras.saving.register_keras_serializable("tfsr")
class Charbonnier(Loss):
    """Charbonnier loss, a smooth L1: the mean of `sqrt(d^2 + epsilon^2)`.

    The published epsilon, 1e-3, is for images in [-1, 1] (ARASFSR writes `sqrt(d^2 + 1e-6)`). In
    [0, 1] the same curve has epsilon 5e-4, and half the loss and gradient at every point.

    Args:
        epsilon: float. Where the curve turns from quadratic to linear, in units of [0, 1]. Defaults
            to 5e-4.

    Raises:
        InvalidArgument: epsilon is not positive.

    Example:
        >>> loss = tfsr.losses.Charbonnier(epsilon=0.25)
        >>> float(loss(np.ones((1, 3)), np.ones((1, 3))))
        0.25

    Reference:
        Lai et al., "Fast and Accurate Image Super-Resolution with Deep Laplacian Pyramid Networks",
        section 3.3, https://arxiv.org/abs/1710.01992
    """

    def __init__(self, epsilon: float = 5e-4, **kwargs: Any) -> None:
        super().__init__(**{"name": "charbonnier", **kwargs})
        self.epsilon = _positive("epsilon", epsilon)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        # In bfloat16 epsilon^2 would vanish beside d^2 once d exceeds 16 epsilon.
        squares = ops.square(_difference(y_true, y_pred))
        return ops.mean(ops.sqrt(squares + self.epsilon**2), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("tfsr")
class L1(Loss):
    """Mean absolute error, the loss of LIIF, Meta-SR, LTE and DIINN.

    Example:
        >>> float(tfsr.losses.L1()(np.zeros((1, 3)), np.full((1, 3), 0.5)))
        0.5

    Reference:
        Chen, Liu, Wang, "Learning Continuous Image Representation with Local Implicit Image
        Function", section 4.2, https://arxiv.org/abs/2012.09161
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "l1", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        return ops.mean(ops.abs(_difference(y_true, y_pred)), axis=-1)


@keras.saving.register_keras_serializable("tfsr")
class L2(Loss):
    """Mean squared error, which PSNR measures.

    Example:
        >>> float(tfsr.losses.L2()(np.zeros((1, 3)), np.full((1, 3), 0.5)))
        0.25

    Reference:
        Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", section 3.3,
        https://arxiv.org/abs/1501.00092
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "l2", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pixel, the mean over its channels."""
        return ops.mean(ops.square(_difference(y_true, y_pred)), axis=-1)


@keras.saving.register_keras_serializable("tfsr")
class Fourier(Loss):
    """L1 distance of the spectra of two patches: the mean of |Re| and |Im| of `rfft2(d)`.

    The transform is orthonormal (divided by sqrt(H W)), so the loss does not depend on the patch
    size. Published losses grow with the patch side: multiply a published weight by the side of the
    patches it was used on.

    Raises:
        InvalidArgument: when called, if the predictions are not (B, H, W, C).

    Example:
        >>> loss = tfsr.losses.from_config([{"name": "l1"}, {"name": "fft", "weight": 0.1}])

    Reference:
        Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring" (MIMO-UNet),
        section 3.4, https://arxiv.org/abs/2108.05054
    """

    needs_patch = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "fft", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each patch, (B,)."""
        if len(y_pred.shape) != 4:
            shape = tuple(y_pred.shape)
            raise InvalidArgument(f"the loss fft takes patches (B, H, W, C); received {shape}")
        # (B, C, H, W): transforms run along the last axis.
        patches = ops.transpose(_difference(y_true, y_pred), (0, 3, 1, 2))
        real, imaginary = ops.rfft(patches)
        real, imaginary = ops.fft(tuple(ops.swapaxes(x, -1, -2) for x in (real, imaginary)))
        height, width = (ops.cast(ops.shape(patches)[axis], "float32") for axis in (2, 3))
        mean = ops.mean(ops.abs(real) + ops.abs(imaginary), axis=(1, 2, 3)) / 2
        return mean / ops.sqrt(height * width)


@keras.saving.register_keras_serializable("tfsr")
class WeightedSum(Loss):
    """Weighted sum of several losses, each averaged over a sample first.

    Args:
        losses: sequence of `Loss`. Their own reductions are ignored.
        weights: sequence of float. One per loss, above 0.

    Raises:
        InvalidArgument: no losses, or not one weight above 0 for each.

    Example:
        >>> terms = [tfsr.losses.Charbonnier(), tfsr.losses.Fourier()]
        >>> tfsr.losses.WeightedSum(terms, [1.0, 0.05]).needs_patch
        True
    """

    def __init__(self, losses: Sequence[Loss], weights: Sequence[float], **kwargs: Any) -> None:
        if not losses or len(losses) != len(weights):
            counts = f"{len(losses)} losses and {len(weights)} weights"
            raise InvalidArgument(f"a weighted sum needs one weight per loss; received {counts}")
        super().__init__(**{"name": "weighted_sum", **kwargs})
        self.losses = list(losses)
        self.weights = [_positive("weight", weight) for weight in weights]
        self.needs_patch = any(loss.needs_patch for loss in losses)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample, (B,)."""
        values = [loss.call(y_true, y_pred) for loss in self.losses]
        means = [ops.mean(value, axis=tuple(range(1, len(value.shape)))) for value in values]
        return sum(weight * mean for weight, mean in zip(self.weights, means, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        losses = [keras.losses.serialize(loss) for loss in self.losses]
        return {**super().get_config(), "losses": losses, "weights": self.weights}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WeightedSum:
        """Build the loss from the output of `get_config`."""
        losses = [keras.losses.deserialize(loss) for loss in config["losses"]]
        return cls(**{**config, "losses": losses})


LOSSES = Registry("loss", Loss)
"""Losses by name."""

LOSSES.add("charbonnier", Charbonnier)
LOSSES.add("fft", Fourier)
LOSSES.add("l1", L1)
LOSSES.add("l2", L2)


def from_config(config: Any) -> Loss:
    """Build a loss from plain data.

    Args:
        config: a name in `LOSSES`; a mapping with "name", the loss's arguments and optionally
            "weight" (above 0, defaults to 1); or a list of these, for their weighted sum.

    Raises:
        InvalidArgument: empty list, unknown name or argument, or invalid value.

    Example:
        >>> tfsr.losses.from_config({"name": "charbonnier", "epsilon": 1e-3}).epsilon
        0.001
    """
    terms = list(config) if isinstance(config, (list, tuple)) else [config]
    if not terms:
        raise InvalidArgument("a list of losses must name at least one; received none")
    losses, weights = [], []
    for term in terms:
        weight: Any = 1.0
        if isinstance(term, Mapping):
            weight = term.get("weight", 1.0)
            term = {key: value for key, value in term.items() if key != "weight"}
        weights.append(_positive("weight", weight))
        losses.append(LOSSES.build(term))
    return losses[0] if weights == [1.0] else WeightedSum(losses, weights)


def _difference(y_true: Any, y_pred: Any) -> Any:
    # `WeightedSum` calls `call` directly, without the cast that Keras does in `__call__`.
    return ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")


def _positive(argument: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise InvalidArgument(f"must be a positive number; received {value!r}", argument)
    return float(value)
