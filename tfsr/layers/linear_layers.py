"""Dense and convolution layers, initialized as in the published systems."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.layers.budget import Budgeted
from tfsr.layers.configured_layer import ConfiguredLayer, with_dtype

# Below this width, product and bias in one step take longer than in two.
_NARROW = 16


def fan_in_uniform(fan_in: int) -> keras.initializers.Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the default of PyTorch for weights and biases alike.

    Create one for each weight: an initializer returns the same numbers on every call.
    """
    limit = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-limit, limit)


class _FanInUniform(Budgeted):
    """Mixin: the kernel and the bias are initialized by `fan_in_uniform`."""

    fan_in: int | None

    def _initialize(self, width: int) -> None:
        fan_in = self.fan_in or width
        self.kernel_initializer = fan_in_uniform(fan_in)
        self.bias_initializer = fan_in_uniform(fan_in)

    def get_config(self) -> dict[str, Any]:
        """The configuration, without the initializers: they follow from the input's width."""
        config = super().get_config()  # type: ignore[misc]
        del config["kernel_initializer"], config["bias_initializer"]
        return {**config, "fan_in": self.fan_in}


@keras.saving.register_keras_serializable("tfsr")
class Linear(_FanInUniform, keras.layers.Dense):
    """A dense layer whose kernel and bias start uniform in +-1/sqrt(fan in).

    All published systems were trained from this start; Keras's own (Glorot, zeros) differs.

    Args:
        units: int. Width of the output.
        fan_in: int, optional. Input width of the wider layer that this one is a part of. Defaults
            to its own input width.
        **kwargs: those of `keras.layers.Dense`.

    Example:
        >>> tfsr.layers.Linear(4)(np.zeros((2, 5, 8), "float32")).shape
        TensorShape([2, 5, 4])
    """

    def __init__(self, units: int, fan_in: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **with_dtype(kwargs))
        self.fan_in = fan_in

    def build(self, input_shape) -> None:
        """Create the weights for inputs of (..., channels)."""
        self._initialize(input_shape[-1])
        super().build(input_shape)

    def call(self, inputs, training=None):
        """(..., channels) to (..., units).

        As one matrix: only then does TensorFlow fuse product, bias and activation. For few outputs
        the fused step is twice as slow as two, which the second reshape keeps apart.
        """
        if self.units < _NARROW and self.use_bias:
            return self.activation(self._product(inputs, self.kernel) + self.bias)
        return self._unflatten(super().call(_flatten(inputs), training), inputs)

    def call_concat(self, parts: Sequence[Any]):
        """`call` on the concatenation of parts (..., n), which is never made.

        The sum of their products takes less time than the copy.
        """
        output, start = None, 0
        for part in parts:
            product = ops.matmul(_flatten(part), self.kernel[start : start + part.shape[-1]])
            if output is None and self.use_bias:
                product = product + self.bias
            # Reshaped before the sum: WebGPU delegates take a matrix's rows for a batch.
            product = self._unflatten(product, part)
            output = product if output is None else product + output
            start += part.shape[-1]
        return self.activation(output)

    def _product(self, inputs, kernel):
        return self._unflatten(ops.matmul(_flatten(inputs), kernel), inputs)

    def _unflatten(self, matrix, inputs):
        return ops.reshape(matrix, (*ops.shape(inputs)[:-1], self.units))


def _flatten(inputs):
    """(..., channels) as (n, channels)."""
    return ops.reshape(inputs, (-1, inputs.shape[-1]))


@keras.saving.register_keras_serializable("tfsr")
class Convolution(_FanInUniform, keras.layers.Conv2D):
    """A convolution of stride 1, zero-padded to the input's size, initialized like `Linear`.

    Args:
        filters: int. Channels of the output.
        kernel_size: int. Side of the kernel. Defaults to 3.
        fan_in: int, optional. As in `Linear`.
        **kwargs: those of `keras.layers.Conv2D`.

    Example:
        >>> tfsr.layers.Convolution(4)(np.zeros((1, 5, 6, 8), "float32")).shape
        TensorShape([1, 5, 6, 4])
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, fan_in: int | None = None, **kwargs: Any
    ) -> None:
        options = {"padding": "same", "data_format": "channels_last", **with_dtype(kwargs)}
        super().__init__(filters, kernel_size, **options)
        self.fan_in = fan_in

    def build(self, input_shape) -> None:
        """Create the weights for inputs of (batch, height, width, channels)."""
        self._initialize(input_shape[-1] * math.prod(self.kernel_size))
        super().build(input_shape)


@keras.saving.register_keras_serializable("tfsr")
class ModulatedLinear(Linear):
    """(x W + b) (1 + scale) + shift, with a scale and shift per LR pixel (LMF).

    `fold` rewrites it as x W factor + offset, with factor = 1 + scale and offset = b factor +
    shift, computed once per LR pixel: a query costs a product, a multiplication and an addition.

    Args:
        units: int. Width of the output.
        **kwargs: those of `Linear`.

    Input shape: x (..., inputs); factor and offset (..., units), broadcastable to the output.
    Output shape: (..., units).

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), section 3.2.

    Example:
        >>> layer = tfsr.layers.ModulatedLinear(4)
        >>> layer.build((None, 8))
        >>> scale = shift = np.zeros((2, 4), "float32")
        >>> layer(np.zeros((2, 8), "float32"), *layer.fold(scale, shift)).shape
        TensorShape([2, 4])
    """

    def fold(self, scale, shift):
        """Factor and offset of scales and shifts, (..., units) each, in their dtype."""
        factor = 1.0 + scale
        return factor, ops.cast(self.bias, factor.dtype) * factor + shift

    def call(self, inputs, factor, offset):  # type: ignore[override]
        """(..., inputs), and the result of `fold`, to (..., units)."""
        return self._product(inputs, self.kernel) * factor + offset

    def compute_output_shape(self, inputs_shape, factor_shape, offset_shape):
        """(..., units)."""
        return (*inputs_shape[:-1], self.units)


@keras.saving.register_keras_serializable("tfsr")
class SeparableDense(ConfiguredLayer):
    """rows @ row_kernel + columns @ column_kernel: a dense layer on [rows, columns] together.

    On a grid the rows' values have shape (H, 1, n) and the columns' (W, n); the products are taken
    per axis, O(H + W), and only their sum is a full (H, W, units). For scattered points both have
    the points' shape and it is an ordinary dense layer.

    It computes in float32 whatever the dtype policy: its inputs are coordinates.

    Args:
        units: int. Width of the output.
        fan_in: int. Input width of the whole layer that these values are a part of, which sets the
            range of the initial weights. Defaults to both axes' width.
        use_bias: bool. Defaults to False: usually the features' part of the layer has a bias.

    Example:
        >>> layer = tfsr.layers.SeparableDense(4)
        >>> rows, columns = layer(np.zeros((5, 1, 3), "float32"), np.zeros((7, 3), "float32"))
        >>> (rows + columns).shape
        TensorShape([5, 7, 4])
    """

    def __init__(
        self, units: int, fan_in: int | None = None, use_bias: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.units = units
        self.fan_in = fan_in
        self.use_bias = use_bias

    @staticmethod
    def values(*parts):
        """Concatenate values of an axis, each (..., n).

        The name scope marks positions: an exporter keeps what is computed from them in float32.
        """
        with keras.name_scope("position"):
            return ops.concatenate(parts, axis=-1)

    def build(self, input_shape) -> None:
        """Create both kernels for (..., n), the shape of either axis's values."""
        width = input_shape[-1]
        self.row_kernel = self._add("row_kernel", (width, self.units), width)
        self.column_kernel = self._add("column_kernel", (width, self.units), width)
        if self.use_bias:
            self.bias = self._add("bias", (self.units,), width)

    def _add(self, name: str, shape: tuple[int, ...], width: int):
        initializer = fan_in_uniform(self.fan_in or 2 * width)
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)

    def call(self, rows, columns):
        """The two axes' terms, (..., units) each, to be added."""
        return self.row_term(rows), self.column_term(columns)

    def row_term(self, rows):
        """(..., n) to (..., units): the rows' term, including the bias."""
        with keras.name_scope(self.name):
            term = ops.matmul(rows, self.row_kernel)
            return term + self.bias if self.use_bias else term

    def column_term(self, columns):
        """(..., n) to (..., units): the columns' term."""
        with keras.name_scope(self.name):
            return ops.matmul(columns, self.column_kernel)
