"""The residual block of EDSR, also used by the frequency estimation of ARASFSR."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.layers.configured_layer import ConfiguredLayer
from tfsr.layers.linear_layers import Convolution


@keras.saving.register_keras_serializable("tfsr")
class ResidualBlock(ConfiguredLayer):
    """x + residual_scale * conv(relu(conv(x))), 3x3, without normalisation (EDSR, fig. 2c).

    Args:
        features: int. Channels in and out.
        residual_scale: float. Factor of the branch; EDSR uses 0.1 at 256 features.

    Example:
        >>> tfsr.layers.ResidualBlock(8)(np.zeros((1, 5, 6, 8), "float32")).shape
        TensorShape([1, 5, 6, 8])
    """

    def __init__(self, features: int, residual_scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.residual_scale = residual_scale
        self.conv1 = Convolution(features, activation="relu", dtype=self.dtype_policy, name="conv1")
        self.conv2 = Convolution(features, dtype=self.dtype_policy, name="conv2")

    def build(self, input_shape) -> None:
        """Build both convolutions for (batch, height, width, features)."""
        self.conv1.build(input_shape)
        self.conv2.build(input_shape)

    def call(self, x):
        """(batch, height, width, features) to the same shape."""
        branch = self.conv2(self.conv1(x))
        return x + (branch if self.residual_scale == 1 else self.residual_scale * branch)
