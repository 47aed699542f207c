"""Dense and convolution layers that start as the published systems' do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

# Widths at which a product with its bias in one step costs more than the two.
_NARROW = 16


def fan_in_uniform(fan_in: int) -> keras.initializers.Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the default of PyTorch for weights and biases alike.

    One for each weight: an initialiser draws the same numbers every time it is called.
    """
    limit = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-limit, limit)


@keras.saving.register_keras_serializable("tfsr")
class Linear(keras.layers.Dense):
    """A dense layer whose kernel and bias start uniform in +-1/sqrt(fan in).

    All published systems were trained from this start; Keras's own (Glorot, zeros) differs.

    Args:
        units: int. Width of the output.
        fan_in: int, optional. What the start is drawn for, where this layer stands for a part of a
            wider one. Defaults to the input's width.
        **kwargs: those of `keras.layers.Dense`.
    """

    def __init__(self, units: int, fan_in: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.fan_in = fan_in

    def build(self, input_shape) -> None:
        """Draw the weights for inputs of (..., channels)."""
        fan_in = self.fan_in or input_shape[-1]
        self.kernel_initializer = fan_in_uniform(fan_in)
        self.bias_initializer = fan_in_uniform(fan_in)
        super().build(input_shape)

    def call(self, inputs, training=None):
        """(..., channels) to (..., units).

        As one matrix: only there does TensorFlow make product, bias and activation a single step.
        With few outputs that step is twice as slow as two, which the second reshape keeps apart.
        """
        if self.units < _NARROW and self.use_bias:
            product = ops.matmul(_matrix(inputs), self.kernel)
            return self.activation(self._shaped(product, inputs) + self.bias)
        return self._shaped(super().call(_matrix(inputs), training), inputs)

    def of_parts(self, parts: Sequence[Any]):
        """What `call` answers to the concatenation of parts (..., n), which is never made.

        The sum of their products takes less time than the copy.
        """
        output, start = None, 0
        for part in parts:
            product = ops.matmul(_matrix(part), self.kernel[start : start + part.shape[-1]])
            if output is None and self.use_bias:
                product = product + self.bias
            # Shaped before the sum: WebGPU delegates take a matrix's rows for a batch.
            product = self._shaped(product, part)
            output = product if output is None else product + output
            start += part.shape[-1]
        return self.activation(output)

    def _shaped(self, matrix, inputs):
        return ops.reshape(matrix, (*ops.shape(inputs)[:-1], self.units))

    def get_config(self) -> dict[str, Any]:
        """The configuration, less the initialisers: they follow from the input's width."""
        config = super().get_config()
        del config["kernel_initializer"], config["bias_initializer"]
        return {**config, "fan_in": self.fan_in}


def _matrix(inputs):
    """(..., channels) as (n, channels)."""
    return ops.reshape(inputs, (-1, inputs.shape[-1]))


@keras.saving.register_keras_serializable("tfsr")
class Convolution(keras.layers.Conv2D):
    """A convolution of stride 1, zero padded to the input's size, started as `Linear` is.

    Args:
        filters: int. Channels of the output.
        kernel_size: int. Side of the kernel. Defaults to 3.
        fan_in: int, optional. As in `Linear`.
        **kwargs: those of `keras.layers.Conv2D`.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, fan_in: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, **{"padding": "same", **kwargs})
        self.fan_in = fan_in

    def build(self, input_shape) -> None:
        """Draw the weights for inputs of (batch, height, width, channels)."""
        fan_in = self.fan_in or input_shape[-1] * math.prod(self.kernel_size)
        self.kernel_initializer = fan_in_uniform(fan_in)
        self.bias_initializer = fan_in_uniform(fan_in)
        super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The configuration, less the initialisers: they follow from the input's width."""
        config = super().get_config()
        del config["kernel_initializer"], config["bias_initializer"]
        return {**config, "fan_in": self.fan_in}
