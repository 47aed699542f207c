"""The edge-oriented encoder of ECBSR, without its up-sampling tail."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.encoders.encoder import FoldableEncoder
from tfsr.layers import EdgeOrientedConvolution


@keras.saving.register_keras_serializable("tfsr")
class ECB(FoldableEncoder):
    """A sequence of 3x3 convolutions with ReLU, and one skip over all but the first.

    Folded it is convolutions, ReLU and one addition, which int8 and every phone's delegate support.

    Args:
        features: int, at least 1. Channels of the feature map. Defaults to 32.
        blocks: int, at least 1. Convolutions with ReLU between the first and the last. Defaults
            to 8.
        folded: bool. Whether the 3x3 convolutions are plain, as after `fold`. Defaults to False:
            each is trained as the branches of an `EdgeOrientedConvolution`.

    Raises:
        InvalidArgument: if an argument has another value.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Reference:
        ECBSR, Zhang et al., ACM MM 2021 (doi 10.1145/3474085.3475291), whose skip adds the input
        image instead, and whose PReLU is ReLU in its int8 form.

    Example:
        >>> encoder = tfsr.encoders.ECB(features=8, blocks=2)
        >>> encoder(np.zeros((1, 6, 7, 3), "float32")).shape
        TensorShape([1, 6, 7, 8])
    """

    reparameterized = EdgeOrientedConvolution

    def __init__(
        self, features: int = 32, blocks: int = 8, folded: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(features, blocks, folded, **kwargs)
        self.receptive_field = blocks + 2
        self.peak_channels = 4 * features
        self.head = self.convolution("head", "relu")
        self.body = [self.convolution(f"block_{i}", "relu") for i in range(blocks)]
        self.tail = self.convolution("tail")

    @property
    def convolutions(self) -> list[Any]:
        """As `FoldableEncoder.convolutions`."""
        return [self.head, *self.body, self.tail]

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, 3)."""
        self.head.build(input_shape)
        for layer in (*self.body, self.tail):
            layer.build((*input_shape[:-1], self.features))

    def call(self, image):
        """(batch, h, w, 3) to (batch, h, w, features)."""
        x = head = self.head(image)
        for layer in self.body:
            x = layer(x)
        return self.tail(x) + head
