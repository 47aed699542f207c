"""EDSR without its up-sampling tail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.encoders.encoder import Encoder
from tfsr.errors import InvalidArgument
from tfsr.layers import Convolution, ResidualBlock


@keras.saving.register_keras_serializable("tfsr")
class EDSR(Encoder):
    """Residual blocks between two convolutions, with one skip over all of them.

    The published code builds layers that subtract and add the mean colour, but never calls them;
    they are omitted here (24 numbers that its parameter counts include).

    Args:
        features: int. Channels of the feature map. Defaults to 256, the full model; the baseline
            has 64.
        blocks: int. Residual blocks. Defaults to 32; the baseline has 16.
        residual_scale: float. Factor of each block's branch. Defaults to 0.1; the baseline has 1.
        mean: sequence of 3 floats. The colour, in [0, 1], that the first convolution sees as 0.
            Defaults to grey, 0.5.
        std: float. Divisor of the difference from it. Defaults to 0.5, as all models here
            normalise their input.

    Raises:
        InvalidArgument: if `mean` is not 3 numbers, or `std` is not positive.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, features).

    Reference:
        Lim et al., CVPRW 2017 (arXiv 1707.02921).

    Example:
        >>> encoder = tfsr.encoders.EDSR(features=8, blocks=2, residual_scale=1.0)
        >>> encoder(np.zeros((1, 6, 7, 3), "float32")).shape
        TensorShape([1, 6, 7, 8])
    """

    def __init__(
        self,
        features: int = 256,
        blocks: int = 32,
        residual_scale: float = 0.1,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(mean) != 3 or not std > 0:
            raise InvalidArgument(
                f"mean must be 3 numbers and std above 0; received {list(mean)} and {std}"
            )
        self.mean = tuple(float(value) for value in mean)
        self.std = float(std)
        self.features = features
        self.blocks = blocks
        self.residual_scale = residual_scale
        self.receptive_field = 2 * blocks + 2
        self.peak_channels = 4 * features
        policy = self.dtype_policy
        self.head = Convolution(features, dtype=policy, name="head")
        self.body = [
            ResidualBlock(features, residual_scale, dtype=policy, name=f"block_{i}")
            for i in range(blocks)
        ]
        self.tail = Convolution(features, dtype=policy, name="tail")

    def build(self, input_shape) -> None:
        """Build every layer for (batch, h, w, 3)."""
        self.head.build(input_shape)
        inner: list[Any] = [*self.body, self.tail]
        for layer in inner:
            layer.build((*input_shape[:-1], self.features))

    def call(self, image):
        """(batch, h, w, 3) to (batch, h, w, features)."""
        if (*self.mean, self.std) != (0.5,) * 4:
            offset = np.array([(0.5 - mean) / self.std for mean in self.mean], np.float32)
            image = image * (0.5 / self.std) + ops.cast(offset, image.dtype)
        x = head = self.head(image)
        for block in self.body:
            x = block(x)
        return self.tail(x) + head
