"""Factors of a map's channels that depend on the row and on the column."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.layers.linear import fan_in_uniform
from tfsr.layers.positional_encoding import PositionalEncoding


@keras.saving.register_keras_serializable("tfsr")
class AxisModulation(keras.layers.Layer):
    """1 + sin of a dense layer of the positional encoding, for the rows and for the columns.

    A map is multiplied by both. Together they are a function of the position at the cost of two
    axes: O(h + w) values, constants where the size is fixed. Computed in float32 whatever the dtype
    policy.

    Args:
        units: int. Channels.
        bandwidth: int. Octaves of the encoding. Defaults to 6.

    Reference:
        The product of sines with a network's layers is ARASFSR's (arXiv 2511.16341, section 3); one
        factor an axis is ours.
    """

    def __init__(self, units: int, bandwidth: int = 6, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.units = units
        self.bandwidth = bandwidth
        self.encoding = PositionalEncoding(bandwidth, name="encoding")

    def build(self, input_shape=None) -> None:
        """Create a kernel and a bias for each axis."""
        width = self.encoding.channels
        self.kernels = [
            self.add_weight(
                name=f"{axis}_kernel",
                shape=(width, self.units),
                initializer=fan_in_uniform(width),
                autocast=False,
            )
            for axis in ("row", "column")
        ]
        self.biases = [
            self.add_weight(
                name=f"{axis}_bias", shape=(self.units,), initializer="zeros", autocast=False
            )
            for axis in ("row", "column")
        ]
        self.built = True

    def call(self, rows, columns):
        """Coordinates (..., h) and (..., w) to factors (..., h, 1, units) and (..., 1, w, units).

        With no other axes the factors begin with one of 1: all have the axes of a map.
        """
        factors = []
        for i, coordinates in enumerate((rows, columns)):
            encoded = self.encoding(ops.convert_to_tensor(coordinates)[..., None])
            factor = 1.0 + ops.sin(ops.matmul(encoded, self.kernels[i]) + self.biases[i])
            factor = factor if len(factor.shape) == 3 else factor[None]
            factors.append(ops.expand_dims(factor, 2 - i))
        return factors

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "bandwidth": self.bandwidth}
