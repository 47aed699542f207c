"""The plain positional encoding of coordinates."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("tfsr")
class PositionalEncoding(keras.layers.Layer):
    """Sines and cosines of one coordinate at octave frequencies.

    x -> [x, sin(x), cos(x), sin(2x), cos(2x), ..., sin(2^(L-1) x), cos(2^(L-1) x)], with no factor
    of pi, as the published ARASFSR code has it. One axis at a time: of (row, column) the encoding
    of the row depends on the row alone.

    Always computed in float32, whatever the dtype policy: 2^9 times a coordinate leaves a 16-bit
    float no fraction.

    Args:
        bandwidth: int. Number of octaves L. Defaults to 10.
        identity: bool. Whether x itself comes first. Defaults to True.

    Input shape: (..., 1). Output shape: (..., 2 * bandwidth + identity), float32.

    Reference:
        Tancik et al., NeurIPS 2020 (arXiv 2006.10739); ARASFSR (arXiv 2511.16341).
    """

    def __init__(self, bandwidth: int = 10, identity: bool = True, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.bandwidth = bandwidth
        self.identity = identity

    @property
    def channels(self) -> int:
        """Values per coordinate."""
        return 2 * self.bandwidth + self.identity

    def call(self, coordinates):
        """(..., 1) to (..., channels)."""
        x = ops.cast(coordinates, "float32")
        waves = sines_and_cosines(x * paired_octaves(self.bandwidth))
        return ops.concatenate([x, waves], axis=-1) if self.identity else waves

    def compute_output_shape(self, input_shape):
        """(..., channels)."""
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        return {**config, "bandwidth": self.bandwidth, "identity": self.identity}


def paired_octaves(bandwidth: int) -> np.ndarray:
    """(2 bandwidth,) float32: 1, 1, 2, 2, 4, 4 and so on, for a sine and a cosine each."""
    return np.repeat(2.0 ** np.arange(bandwidth), 2).astype(np.float32)


def sines_and_cosines(phases):
    """The sine of every even channel and the cosine of every odd one.

    By factors of 1 and 0: stacked and reshaped, they would have an axis more than GPU delegates of
    TFLite take.
    """
    odd = np.arange(phases.shape[-1], dtype=np.float32) % 2
    return ops.sin(phases) * (1 - odd) + ops.cos(phases) * odd
