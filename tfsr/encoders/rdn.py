"""The residual dense network, without its up-sampling tail."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.encoders.encoder import Encoder
from tfsr.layers import ConfiguredLayer, Convolution


@keras.saving.register_keras_serializable("tfsr")
class RDN(Encoder):
    """Residual dense blocks, fused by a 1x1 convolution.

    Args:
        features: int. Channels of the feature map (G0). Defaults to 64.
        blocks: int. Residual dense blocks (D). Defaults to 16.
        layers: int. Convolutions in each block (C). Defaults to 8.
        growth: int. Channels that each convolution adds (G). Defaults to 64.

    The defaults are the paper's configuration B, which every table uses; A ("rdn-a") has 20 blocks
    of 6 layers that grow by 32.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Reference:
        Zhang et al., CVPR 2018 (arXiv 1802.08797).

    Example:
        >>> encoder = tfsr.encoders.RDN(features=8, blocks=2, layers=2, growth=4)
        >>> encoder(np.zeros((1, 6, 7, 3), "float32")).shape
        TensorShape([1, 6, 7, 8])
    """

    def __init__(
        self,
        features: int = 64,
        blocks: int = 16,
        layers: int = 8,
        growth: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.blocks = blocks
        self.layers = layers
        self.growth = growth
        self.receptive_field = blocks * layers + 3
        self.peak_channels = 2 * (blocks * features + features + layers * growth)
        policy = self.dtype_policy
        self.shallow1 = Convolution(features, dtype=policy, name="shallow1")
        self.shallow2 = Convolution(features, dtype=policy, name="shallow2")
        self.dense_blocks = [
            ResidualDenseBlock(features, layers, growth, dtype=policy, name=f"block_{i}")
            for i in range(blocks)
        ]
        self.fusion1 = Convolution(features, 1, dtype=policy, name="fusion1")
        self.fusion2 = Convolution(features, dtype=policy, name="fusion2")

    @property
    def halo(self) -> int:
        """As `Encoder.halo`: at most 48.

        The full networks' receptive fields are 131 and 123, but the influence of pixels beyond 48
        is invisible: docs/performance.md has the measured error.
        """
        return min(self.blocks * self.layers + 3, 48)

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, 3)."""
        self.shallow1.build(input_shape)
        inner: list[Any] = [self.shallow2, *self.dense_blocks, self.fusion2]
        for layer in inner:
            layer.build((*input_shape[:-1], self.features))
        self.fusion1.build((*input_shape[:-1], self.blocks * self.features))

    def call(self, image):
        """(batch, h, w, 3) to (batch, h, w, features)."""
        shallow = self.shallow1(image)
        x = self.shallow2(shallow)
        outputs = []
        for block in self.dense_blocks:
            x = block(x)
            outputs.append(x)
        return self.fusion2(self.fusion1(ops.concatenate(outputs, axis=-1))) + shallow


@keras.saving.register_keras_serializable("tfsr")
class ResidualDenseBlock(ConfiguredLayer):
    """Densely connected convolutions, fused by a 1x1 one (RDN, fig. 3).

    Args:
        features: int. Channels in and out.
        layers: int. Convolutions.
        growth: int. Channels that each adds.
    """

    def __init__(self, features: int, layers: int, growth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.layers = layers
        self.growth = growth
        policy = self.dtype_policy
        self.convolutions = [
            Convolution(growth, activation="relu", dtype=policy, name=f"conv_{i}")
            for i in range(layers)
        ]
        self.fusion = Convolution(features, 1, dtype=policy, name="fusion")

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, features)."""
        for i, layer in enumerate([*self.convolutions, self.fusion]):
            layer.build((*input_shape[:-1], self.features + i * self.growth))

    def call(self, x):
        """(batch, h, w, features) to the same shape."""
        seen = x
        for layer in self.convolutions:
            seen = ops.concatenate([seen, layer(seen)], axis=-1)
        return self.fusion(seen) + x
