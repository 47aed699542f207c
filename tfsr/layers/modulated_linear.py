"""A dense layer whose output is scaled and shifted for each LR pixel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.layers.linear_layers import Linear


@keras.saving.register_keras_serializable("tfsr")
class ModulatedLinear(Linear):
    """(x W + b) (1 + scale) + shift, with scale and shift of the LR pixel (LMF).

    For one LR pixel this is x W times a factor plus an offset, with factor = 1 + scale and
    offset = b factor + shift. `fold` computes both once for each LR pixel, so that a query is left
    with a product, a multiplication and an addition.

    Args:
        units: int. Width of the output.
        **kwargs: those of `Linear`.

    Input shape: x (..., inputs); factor and offset (..., units), broadcastable to the output.
    Output shape: (..., units).

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), section 3.2.

    Example:
        >>> layer = tfsr.layers.ModulatedLinear(16)
        >>> layer.build((None, 16))
        >>> y = layer(x, *layer.fold(scale, shift))
    """

    def fold(self, scale, shift):
        """Factor and offset of scales and shifts, (..., units) each, in their dtype."""
        factor = 1.0 + scale
        return factor, ops.cast(self.bias, factor.dtype) * factor + shift

    def call(self, inputs, factor, offset):  # type: ignore[override]
        """(..., inputs), with what `fold` returned, to (..., units)."""
        matrix = ops.reshape(inputs, (-1, inputs.shape[-1]))
        product = ops.reshape(
            ops.matmul(matrix, self.kernel), (*ops.shape(inputs)[:-1], self.units)
        )
        return product * factor + offset

    def compute_output_shape(self, input_shape, factor_shape=None, offset_shape=None):
        """(..., units)."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config()
