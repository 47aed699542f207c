"""SPAN without its up-sampling tail."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.encoders.encoder import FoldableEncoder, check_positive
from tfsr.errors import InvalidArgument
from tfsr.layers import Convolution, ExpandedConvolution


@keras.saving.register_keras_serializable("tfsr")
class SPAN(FoldableEncoder):
    """Blocks of three 3x3 convolutions whose output is its own attention map.

    A block is (c3 + x) * (sigmoid(c3) - 1/2), where c3 are its third convolution's values. A 1x1
    convolution fuses the first convolution, a convolution of the last block, the first block, and
    the last block's first convolution.

    Args:
        features: int, at least 1. Channels of the feature map. Defaults to 48.
        blocks: int, at least 1. Defaults to 6.
        input_scale: float, above 0. What the image is multiplied by, and the features divided by.
            Attention is flat around 0: blocks pass hardly anything on of an image in [-1, 1]. The
            published code takes 127.5. Defaults to 10, which trained best.
        folded: bool. Whether the 3x3 convolutions are plain ones, as `fold` makes them. Defaults to
            False: each is trained as the branches of an `ExpandedConvolution`.

    Raises:
        InvalidArgument: if an argument is something else.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Example:
        >>> model = tfsr.ImplicitSR({"name": "span", "features": 32}, "liif")

    Reference:
        Wan et al., CVPRW 2024 (arXiv 2311.12770).
    """

    def __init__(
        self,
        features: int = 48,
        blocks: int = 6,
        input_scale: float = 10.0,
        folded: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(folded, **kwargs)
        check_positive({"features": features, "blocks": blocks})
        if not isinstance(input_scale, int | float) or not 0 < input_scale < math.inf:
            raise InvalidArgument(f"input_scale must be above 0; received {input_scale!r}")
        self.features = features
        self.blocks = blocks
        self.input_scale = input_scale
        policy = self.dtype_policy
        layer = Convolution if folded else ExpandedConvolution
        self.head = layer(features, dtype=policy, name="head")
        # Three a block, the first two followed by SiLU.
        self.body = [
            layer(
                features,
                activation="silu" if i % 3 < 2 else None,
                dtype=policy,
                name=f"block_{i // 3}_conv_{i % 3}",
            )
            for i in range(3 * blocks)
        ]
        self.tail = layer(features, dtype=policy, name="tail")
        self.fusion = Convolution(features, 1, dtype=policy, name="fusion")

    @property
    def convolutions(self) -> list[keras.layers.Layer]:
        """As `FoldableEncoder.convolutions`."""
        return [self.head, *self.body, self.tail, self.fusion]

    @property
    def channels(self) -> int:
        """Channels of the feature map."""
        return self.features

    @property
    def receptive_field(self) -> int:
        """How far from a pixel its features depend on the image, in pixels."""
        return 3 * self.blocks + 2

    @property
    def peak_channels(self) -> int:
        """Channels of all maps that are in memory at once."""
        # At the end the four fused maps and their concatenation.
        return 9 * self.features

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, 3)."""
        self.head.build(input_shape)
        for layer in (*self.body, self.tail):
            layer.build((*input_shape[:-1], self.features))
        self.fusion.build((*input_shape[:-1], 4 * self.features))

    def call(self, image):
        """(batch, h, w, 3) to (batch, h, w, features)."""
        x = head = self.head(self.input_scale * image)
        outputs = []
        for i in range(0, 3 * self.blocks, 3):
            first = self.body[i](x)
            values = self.body[i + 2](self.body[i + 1](first))
            x = (values + x) * (ops.sigmoid(values) - 0.5)
            outputs.append(x)
        # Not the last block's output itself: its first convolution, after SiLU.
        together = ops.concatenate([head, self.tail(x), outputs[0], first], axis=-1)
        return self.fusion(together) / self.input_scale

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "features": self.features,
            "blocks": self.blocks,
            "input_scale": self.input_scale,
        }
