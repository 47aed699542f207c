"""3x3 convolutions that are trained as several linear branches and run as one."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.layers.configured_layer import ConfiguredLayer
from tfsr.layers.linear_layers import fan_in_uniform

_SOBEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
# Cross-correlated with each channel of the image, as convolutions are: (3, 3, 1, 1).
_EDGES = {
    "sobel_x": _SOBEL[:, :, None, None],
    "sobel_y": np.ascontiguousarray(_SOBEL.T)[:, :, None, None],
    "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32)[:, :, None, None],
}


class ReparameterizedConvolution(ConfiguredLayer):
    """A 3x3 convolution whose kernel is computed from the weights of linear branches.

    Linear branches in parallel or in sequence are one linear map: branches of 1x1 and 3x3
    convolutions are one 3x3 convolution. `call` computes its kernel and runs that one alone, in
    training too, as the kernel does not depend on the size of the image. Gradients flow to the
    branches, which is why such layers train better than plain ones.

    The kernel is composed in float32, whatever the dtype policy, and then cast.

    A subclass adds the branches' weights in `build`, by `add_kernel` and `add_bias`, and composes
    them in `fold`.

    Args:
        filters: int. Channels of the output.
        expansion: int. Channels inside the widest branch, as a multiple. Defaults to 2.
        activation: as in `keras.layers.Conv2D`. Defaults to none.

    Input shape: (batch, h, w, channels). Output shape: (batch, h, w, filters).

    Example:
        >>> base = tfsr.layers.ReparameterizedConvolution
        >>> isinstance(tfsr.layers.ExpandedConvolution(8), base)
        True
    """

    def __init__(
        self, filters: int, expansion: int = 2, activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.expansion = expansion
        self.activation = keras.activations.get(activation)

    @abstractmethod
    def fold(self) -> tuple[Any, Any]:
        """The kernel (3, 3, channels, filters) and the bias (filters,), float32, of this layer.

        An ordinary zero-padded convolution with these has the same output.
        """

    def add_kernel(self, name: str, *shape: int) -> Any:
        """Add a kernel (..., inputs, outputs), initialized like that of `Convolution`."""
        return self._add(f"{name}_kernel", shape, fan_in_uniform(int(np.prod(shape[:-1]))))

    def add_bias(self, name: str, length: int, fan_in: int) -> Any:
        """Add the bias of a kernel with `fan_in` inputs, initialized like that of `Convolution`."""
        return self._add(f"{name}_bias", (length,), fan_in_uniform(fan_in))

    def _add(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        # Not cast with the layer's inputs: `fold` composes in float32.
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)

    def call(self, x):
        """(batch, h, w, channels) to (batch, h, w, filters)."""
        kernel, bias = (ops.cast(part, self.compute_dtype) for part in self.fold())
        return self.activation(
            ops.conv(x, kernel, padding="same", data_format="channels_last") + bias
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}


@keras.saving.register_keras_serializable("tfsr")
class ExpandedConvolution(ReparameterizedConvolution):
    """SPAN's convolution: 1x1 to `expansion` times the channels, 3x3, 1x1 back, and a 1x1 skip.

    The image is padded before the first 1x1 convolution, so the 3x3 one sees that convolution's
    bias beyond the border: otherwise the whole would not be one zero-padded 3x3 convolution.

    Args:
        filters: int. Channels of the output.
        expansion: int. Channels inside, as a multiple of those outside. Defaults to 2.
        activation: as in `keras.layers.Conv2D`. Defaults to none.

    Input shape: (batch, h, w, channels). Output shape: (batch, h, w, filters).

    Reference:
        SPAN, Wan et al., CVPRW 2024 (arXiv 2311.12770): Conv3XC of the published code.

    Example:
        >>> layer = tfsr.layers.ExpandedConvolution(8)
        >>> layer(np.zeros((1, 5, 6, 3), "float32")).shape
        TensorShape([1, 5, 6, 8])
        >>> kernel, bias = layer.fold()
        >>> kernel.shape
        TensorShape([3, 3, 3, 8])
    """

    def build(self, input_shape) -> None:
        """Add the weights for inputs of (batch, h, w, channels)."""
        channels, filters = input_shape[-1], self.filters
        wide, wide_filters = self.expansion * channels, self.expansion * filters
        self.expand_kernel = self.add_kernel("expand", channels, wide)
        self.expand_bias = self.add_bias("expand", wide, channels)
        self.middle_kernel = self.add_kernel("middle", 3, 3, wide, wide_filters)
        self.middle_bias = self.add_bias("middle", wide_filters, 9 * wide)
        self.reduce_kernel = self.add_kernel("reduce", wide_filters, filters)
        self.reduce_bias = self.add_bias("reduce", filters, wide_filters)
        self.skip_kernel = self.add_kernel("skip", channels, filters)
        self.skip_bias = self.add_bias("skip", filters, channels)

    def fold(self) -> tuple[Any, Any]:
        """As `ReparameterizedConvolution.fold`."""
        kernel, bias = _after_1x1(
            self.expand_kernel, self.expand_bias, self.middle_kernel, self.middle_bias
        )
        kernel = ops.matmul(kernel, self.reduce_kernel) + _centred(self.skip_kernel)
        bias = _times(bias, self.reduce_kernel) + self.reduce_bias + self.skip_bias
        return kernel, bias


@keras.saving.register_keras_serializable("tfsr")
class EdgeOrientedConvolution(ReparameterizedConvolution):
    """The edge-oriented convolution block: the sum of six branches.

    They are a 3x3 convolution; a 1x1 and then a 3x3 one; three 1x1 convolutions, each followed by
    an edge filter of its channels (Sobel along columns, along rows, and Laplacian) times a scale
    per channel; and, if there are as many channels as filters, the input itself. Beyond the border
    each 1x1 convolution continues with its bias, so the sum is one zero-padded 3x3 convolution. An
    edge filter's weights add up to 0, so biases before it have no effect; the published code has
    them, this layer does not.

    Args:
        filters: int. Channels of the output.
        expansion: int. Channels between the 1x1 and the 3x3 convolution, as a multiple of
            `filters`. Defaults to 2.
        activation: as in `keras.layers.Conv2D`. Defaults to none.

    Input shape: (batch, h, w, channels). Output shape: (batch, h, w, filters).

    Reference:
        ECBSR, Zhang et al., ACM MM 2021 (doi 10.1145/3474085.3475291), figure 2.

    Example:
        >>> layer = tfsr.layers.EdgeOrientedConvolution(8, activation="relu")
        >>> layer(np.zeros((1, 5, 6, 3), "float32")).shape
        TensorShape([1, 5, 6, 8])
    """

    def build(self, input_shape) -> None:
        """Add the weights for inputs of (batch, h, w, channels)."""
        channels, filters = input_shape[-1], self.filters
        wide = self.expansion * filters
        self.identity = channels == filters
        self.plain_kernel = self.add_kernel("plain", 3, 3, channels, filters)
        self.plain_bias = self.add_bias("plain", filters, 9 * channels)
        self.expand_kernel = self.add_kernel("expand", channels, wide)
        self.expand_bias = self.add_bias("expand", wide, channels)
        self.reduce_kernel = self.add_kernel("reduce", 3, 3, wide, filters)
        self.reduce_bias = self.add_bias("reduce", filters, 9 * wide)
        self.edges = {}
        for name in _EDGES:
            self.edges[name] = (
                self.add_kernel(name, channels, filters),
                self._add(f"{name}_scale", (filters,), keras.initializers.RandomNormal(0, 1e-3)),
                self._add(f"{name}_bias", (filters,), keras.initializers.RandomNormal(0, 1e-3)),
            )

    def fold(self) -> tuple[Any, Any]:
        """As `ReparameterizedConvolution.fold`."""
        kernel, bias = _after_1x1(
            self.expand_kernel, self.expand_bias, self.reduce_kernel, self.reduce_bias
        )
        kernel, bias = kernel + self.plain_kernel, bias + self.plain_bias
        for name, (edge_kernel, scale, edge_bias) in self.edges.items():
            kernel = kernel + _EDGES[name] * (scale * edge_kernel)
            bias = bias + edge_bias
        if self.identity:
            kernel = kernel + _centred(ops.eye(self.filters, dtype="float32"))
        return kernel, bias


def _after_1x1(first_kernel, first_bias, kernel, bias) -> tuple[Any, Any]:
    """Kernel and bias of a 1x1 convolution (channels, wide), then (3, 3, wide, filters)."""
    return ops.matmul(first_kernel, kernel), _times(first_bias, ops.sum(kernel, axis=(0, 1))) + bias


def _times(vector, matrix):
    return ops.matmul(vector[None], matrix)[0]


def _centred(kernel):
    """A 1x1 convolution's (channels, filters) as a 3x3 one's."""
    return ops.pad(kernel[None, None], ((1, 1), (1, 1), (0, 0), (0, 0)))
