"""SPAN without its up-sampling tail."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.encoders.encoder import FoldableEncoder
from tfsr.errors import InvalidArgument
from tfsr.layers import Convolution, ExpandedConvolution


@keras.saving.register_keras_serializable("tfsr")
class SPAN(FoldableEncoder):
    """Blocks of three 3x3 convolutions whose output is its own attention map.

    A block is (c3 + x) * (sigmoid(c3) - 1/2), where c3 is its third convolution's output. A 1x1
    convolution fuses the first convolution, a convolution of the last block, the first block, and
    the last block's first convolution.

    Args:
        features: int, at least 1. Channels of the feature map. Defaults to 48.
        blocks: int, at least 1. Defaults to 6.
        input_scale: float, above 0. The image is multiplied by it, the features divided by it.
            Attention is flat around 0: blocks pass hardly anything of an image in [-1, 1]. The
            published code uses 127.5. Defaults to 10, which trained best.
        folded: bool. Whether the 3x3 convolutions are plain, as after `fold`. Defaults to False:
            each is trained as the branches of an `ExpandedConvolution`.

    Raises:
        InvalidArgument: if an argument has another value.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Reference:
        Wan et al., CVPRW 2024 (arXiv 2311.12770).

    Example:
        >>> encoder = tfsr.encoders.SPAN(features=8, blocks=2)
        >>> encoder(np.zeros((1, 6, 7, 3), "float32")).shape
        TensorShape([1, 6, 7, 8])
    """

    reparameterized = ExpandedConvolution

    def __init__(
        self,
        features: int = 48,
        blocks: int = 6,
        input_scale: float = 10.0,
        folded: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(features, blocks, folded, **kwargs)
        if not isinstance(input_scale, int | float) or not 0 < input_scale < math.inf:
            raise InvalidArgument(
                f"must be above 0; received {input_scale!r}", argument="input_scale"
            )
        self.input_scale = input_scale
        self.receptive_field = 3 * blocks + 2
        # At the end the four fused maps and their concatenation.
        self.peak_channels = 9 * features
        self.head = self.convolution("head")
        # Three per block, the first two followed by SiLU.
        self.body = [
            self.convolution(f"block_{i // 3}_conv_{i % 3}", "silu" if i % 3 < 2 else None)
            for i in range(3 * blocks)
        ]
        self.tail = self.convolution("tail")
        self.fusion = Convolution(features, 1, dtype=self.dtype_policy, name="fusion")

    @property
    def convolutions(self) -> list[Any]:
        """As `FoldableEncoder.convolutions`."""
        return [self.head, *self.body, self.tail, self.fusion]

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, 3)."""
        self.head.build(input_shape)
        for layer in (*self.body, self.tail):
            layer.build((*input_shape[:-1], self.features))
        self.fusion.build((*input_shape[:-1], 4 * self.features))

    def call(self, image):
        """(batch, h, w, 3) to (batch, h, w, features)."""
        x = head = self.head(self.input_scale * image)
        blocks = []
        for i in range(0, 3 * self.blocks, 3):
            first = self.body[i](x)
            values = self.body[i + 2](self.body[i + 1](first))
            x = (values + x) * (ops.sigmoid(values) - 0.5)
            blocks.append(x)
        # Not the last block's output itself: its first convolution, after SiLU.
        together = ops.concatenate([head, self.tail(x), blocks[0], first], axis=-1)
        return self.fusion(together) / self.input_scale
