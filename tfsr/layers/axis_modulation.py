"""Factors of a map's channels that depend on the row and on the column."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.layers.configured_layer import ConfiguredLayer
from tfsr.layers.positional_encoding import PositionalEncoding

# Range of the initial kernels: large random factors would only disturb features.
_START = 0.02


@keras.saving.register_keras_serializable("tfsr")
class AxisModulation(ConfiguredLayer):
    """1 + sin of a dense layer of the positional encoding, for the rows and for the columns.

    A map is multiplied by both. Together they are a function of the position at the cost of two
    axes: O(h + w) values, constants where the size is fixed. All factors start near 1. Computed in
    float32 whatever the dtype policy.

    Args:
        units: int. Channels.
        bandwidth: int. Octaves of the encoding. Defaults to 6.

    Reference:
        The product of sines with a network's layers is ARASFSR's (arXiv 2511.16341, section 3); one
        factor per axis is ours.

    Example:
        >>> rows, columns = tfsr.layers.AxisModulation(8)(np.zeros(5), np.zeros(7))
        >>> (rows * columns).shape
        TensorShape([1, 5, 7, 8])
    """

    def __init__(self, units: int, bandwidth: int = 6, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.units = units
        self.bandwidth = bandwidth
        self.encoding = PositionalEncoding(bandwidth, name="encoding")

    def build(self, input_shape=None) -> None:
        """Create a kernel and a bias for each axis."""
        self.kernels = [
            self.add_weight(
                name=f"{axis}_kernel",
                shape=(self.encoding.channels, self.units),
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

        1-D coordinates give a first axis of 1: factors always have the axes of a map.
        """
        factors = []
        for i, coordinates in enumerate((rows, columns)):
            coordinates = ops.convert_to_tensor(coordinates)
            length, batch = ops.shape(coordinates)[-1], math.prod(ops.shape(coordinates)[:-1])
            # One matrix product and one reshape: for a fixed size both are constant-folded.
            encoded = self.encoding(ops.reshape(coordinates, (batch * length, 1)))
            factor = 1.0 + ops.sin(ops.matmul(encoded, self.kernels[i]) + self.biases[i])
            shape = (batch, length, 1) if i == 0 else (batch, 1, length)
            factors.append(ops.reshape(factor, (*shape, self.units)))
        return factors
