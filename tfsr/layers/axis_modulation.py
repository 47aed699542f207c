"""Factors of a map's channels that depend on the row and on the column."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.layers.positional_encoding import PositionalEncoding

# Range of the kernels at the start: large factors at random would only disturb features.
_START = 0.02


@keras.saving.register_keras_serializable("tfsr")
class AxisModulation(keras.layers.Layer):
    """1 + sin of a dense layer of the positional encoding, for the rows and for the columns.

    A map is multiplied by both. Together they are a function of the position at the cost of two
    axes: O(h + w) values, constants where the size is fixed. All factors start near 1. Computed in
    float32 whatever the dtype policy.

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
                initializer=keras.initializers.RandomUniform(-_START, _START),
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
            coordinates = ops.convert_to_tensor(coordinates)
            length, batch = ops.shape(coordinates)[-1], math.prod(ops.shape(coordinates)[:-1])
            # A product of matrices, and one reshape: where the size is fixed both are folded.
            encoded = self.encoding(ops.reshape(coordinates, (batch * length, 1)))
            factor = 1.0 + ops.sin(ops.matmul(encoded, self.kernels[i]) + self.biases[i])
            shape = (batch, length, 1) if i == 0 else (batch, 1, length)
            factors.append(ops.reshape(factor, (*shape, self.units)))
        return factors

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "bandwidth": self.bandwidth}
