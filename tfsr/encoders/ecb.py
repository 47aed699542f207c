"""The edge-oriented encoder of ECBSR, without its up-sampling tail."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.encoders.encoder import FoldableEncoder, check_positive
from tfsr.layers import Convolution, EdgeOrientedConvolution


@keras.saving.register_keras_serializable("tfsr")
class ECB(FoldableEncoder):
    """3x3 convolutions with ReLU in a row, and one skip over all but the first.

    Folded it is convolutions, ReLU and one addition, which int8 and every phone's delegate take.

    Args:
        features: int, at least 1. Channels of the feature map. Defaults to 32.
        blocks: int, at least 1. Convolutions with ReLU between the first and the last. Defaults
            to 8.
        folded: bool. Whether the 3x3 convolutions are plain ones, as `fold` makes them. Defaults to
            False: each is trained as the branches of an `EdgeOrientedConvolution`.

    Raises:
        InvalidArgument: if an argument is something else.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Example:
        >>> model = tfsr.ImplicitSR({"name": "ecb", "features": 16, "blocks": 4}, "liif")

    Reference:
        ECBSR, Zhang et al., ACM MM 2021 (doi 10.1145/3474085.3475291), whose skip adds the input
        image instead, and whose PReLU is ReLU in its int8 form.
    """

    def __init__(
        self, features: int = 32, blocks: int = 8, folded: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(folded, **kwargs)
        check_positive({"features": features, "blocks": blocks})
        self.features = features
        self.blocks = blocks
        policy = self.dtype_policy
        layer = Convolution if folded else EdgeOrientedConvolution
        self.head = layer(features, activation="relu", dtype=policy, name="head")
        self.body = [
            layer(features, activation="relu", dtype=policy, name=f"block_{i}")
            for i in range(blocks)
        ]
        self.tail = layer(features, dtype=policy, name="tail")

    @property
    def convolutions(self) -> list[keras.layers.Layer]:
        """As `FoldableEncoder.convolutions`."""
        return [self.head, *self.body, self.tail]

    @property
    def channels(self) -> int:
        """Channels of the feature map."""
        return self.features

    @property
    def receptive_field(self) -> int:
        """How far from a pixel its features depend on the image, in pixels."""
        return self.blocks + 2

    @property
    def peak_channels(self) -> int:
        """Channels of all maps that are in memory at once."""
        return 4 * self.features

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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "features": self.features, "blocks": self.blocks}
