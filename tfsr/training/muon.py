"""The Muon optimizer: momentum, orthogonalised before each step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

# Coefficients of the Newton-Schulz quintic, from the reference: steepest at 0.
_A, _B, _C = 3.4445, -4.7750, 2.0315
# Kernels of output layers, which produce colours, are updated by Adam.
_MAX_ADAM_OUTPUTS = 3


@keras.saving.register_keras_serializable("tfsr")
class Muon(keras.optimizers.Optimizer):
    """Muon for kernels, convolutions included, and Adam for everything else.

    A kernel is treated as the matrix (product of its other axes, output channels). Its Nesterov
    momentum is replaced by the nearest orthogonal matrix, times 0.2 sqrt(larger side), so that the
    update has the RMS of a typical update of Adam and one learning rate serves both. Biases,
    scalars and kernels of at most three outputs are updated by Adam at the same rate. Unlike
    `keras.optimizers.Muon`, it updates kernels of four dimensions.

    Args:
        learning_rate: float or schedule. Defaults to 1e-3.
        momentum: float in [0, 1). Of the kernels. Defaults to 0.95.
        beta_1: float. Adam's first decay. Defaults to 0.9.
        beta_2: float. Adam's second decay. Defaults to 0.999.
        epsilon: float. Adam's. Defaults to 1e-8.
        newton_schulz_steps: int. Newton-Schulz iterations. Defaults to 5.
        **kwargs: of `keras.optimizers.Optimizer`: `weight_decay`, `global_clipnorm`, `use_ema` ...

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "liif")
        >>> model.compile(optimizer=tfsr.training.Muon(3e-3), loss=tfsr.losses.Charbonnier())

    Reference:
        Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/; the factor 0.2 is of Liu
        et al., arXiv 2502.16982, section 2.2.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        momentum: float = 0.95,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        newton_schulz_steps: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.newton_schulz_steps = newton_schulz_steps

    def build(self, variables: Sequence[Any]) -> None:
        """Add a momentum for every variable, and a velocity for those that Adam updates."""
        if self.built:
            return
        super().build(variables)
        self._momentums = [
            self.add_variable_from_reference(variable, name="momentum") for variable in variables
        ]
        self._velocities = [
            None
            if is_matrix(variable.shape)
            else self.add_variable_from_reference(variable, name="velocity")
            for variable in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable by its gradient."""
        index = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        if self._velocities[index] is None:
            direction = self._nesterov_direction(gradient, self._momentums[index])
            update = orthogonalize(direction, self.newton_schulz_steps)
            self._descend(variable, update, rate)
        else:
            self._adam(gradient, variable, rate, index)

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> Any:
        """Orthogonalise kernels of one shape together, which uses an accelerator better.

        Under TensorFlow each replica's copies are updated one by one.
        """
        if keras.backend.backend() == "tensorflow":
            return super()._backend_update_step(grads, trainable_variables, learning_rate)
        groups = defaultdict(list)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            index = self._get_variable_index(variable)
            if self._velocities[index] is None:
                direction = self._nesterov_direction(gradient, self._momentums[index])
                groups[tuple(direction.shape)].append((variable, direction))
            else:
                self.update_step(gradient, variable, learning_rate)
        for group in groups.values():
            directions = ops.stack([direction for _, direction in group])
            updates = orthogonalize(directions, self.newton_schulz_steps)
            for i, (variable, _) in enumerate(group):
                self._descend(variable, updates[i], ops.cast(learning_rate, variable.dtype))

    def _nesterov_direction(self, gradient: Any, momentum: Any) -> Any:
        """Add a gradient to the momentum, and return the direction as a matrix."""
        self.assign(momentum, ops.add(momentum * self.momentum, gradient))
        direction = ops.add(gradient, momentum * self.momentum)
        return ops.reshape(direction, (-1, direction.shape[-1]))

    def _descend(self, variable: Any, update: Any, rate: Any) -> None:
        factor = 0.2 * math.sqrt(max(update.shape))
        self.assign_sub(variable, ops.reshape(update * (rate * factor), variable.shape))

    def _adam(self, gradient: Any, variable: Any, rate: Any, index: int) -> None:
        mean, square = self._momentums[index], self._velocities[index]
        step = ops.cast(self.iterations + 1, variable.dtype)
        first = 1 - ops.power(ops.cast(self.beta_1, variable.dtype), step)
        second = 1 - ops.power(ops.cast(self.beta_2, variable.dtype), step)
        self.assign_add(mean, (gradient - mean) * (1 - self.beta_1))
        self.assign_add(square, (ops.square(gradient) - square) * (1 - self.beta_2))
        alpha = rate * ops.sqrt(second) / first
        self.assign_sub(variable, mean * alpha / (ops.sqrt(square) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("momentum", "beta_1", "beta_2", "epsilon", "newton_schulz_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def is_matrix(shape: Sequence[int]) -> bool:
    """Whether Muon updates a variable of this shape as a matrix."""
    return len(shape) >= 2 and shape[-1] > _MAX_ADAM_OUTPUTS


def orthogonalize(matrices: Any, iterations: int = 5) -> Any:
    """Approximate the nearest orthogonal matrices: singular values between about 0.7 and 1.2.

    Args:
        matrices: (..., rows, columns), float32.
        iterations: of Newton-Schulz.
    """
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else ops.swapaxes(matrices, -2, -1)
    x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
    for _ in range(iterations):
        product = ops.matmul(x, ops.swapaxes(x, -2, -1))
        x = _A * x + ops.matmul(_B * product + _C * ops.matmul(product, product), x)
    return x if wide else ops.swapaxes(x, -2, -1)
