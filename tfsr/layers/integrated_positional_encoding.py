"""The positional encoding of a whole pixel instead of its centre."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.layers.positional_encoding import paired_octaves, sines_and_cosines


@keras.saving.register_keras_serializable("tfsr")
class IntegratedPositionalEncoding(keras.layers.Layer):
    """Means of sines and cosines at octave frequencies over a pixel, one axis at a time.

    Over x in [c - r, c + r] the mean of sin(w x) is sin(w c) sin(w r) / (w r), and of cos(w x)
    cos(w c) sin(w r) / (w r): a frequency that the pixel is too large to resolve fades out. With
    w = 2^l, l = 0 .. L-1, no factor of pi and no identity term.

    Always computed in float32, whatever the dtype policy.

    Args:
        bandwidth: int. Number of octaves L. Defaults to 10.

    Input shape: centre (..., 1) and radius, half the pixel's size in the same unit, (..., 1) or
    broadcastable to it. Output shape: (..., 2 * bandwidth), float32.

    Reference:
        IPE-LIIF (Liu, Guo, Zhang, arXiv 2112.05756), equations 5 and 6. Equation 6 prints sinc
        where the integral gives sin; the rest of the fraction is there.
    """

    def __init__(self, bandwidth: int = 10, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.bandwidth = bandwidth

    @property
    def channels(self) -> int:
        """Values per coordinate."""
        return 2 * self.bandwidth

    def call(self, centre, radius):
        """(..., 1) and (..., 1) to (..., channels)."""
        frequencies = paired_octaves(self.bandwidth)
        phases = ops.cast(centre, "float32") * frequencies
        spread = ops.cast(radius, "float32") * frequencies
        # A pixel without extent is its centre: the fade is exactly 1 there, not 0/0.
        point = spread == 0.0
        fade = ops.where(point, 1.0, ops.sin(spread) / ops.where(point, 1.0, spread))
        return sines_and_cosines(phases) * fade

    def compute_output_shape(self, centre_shape, radius_shape=None):
        """(..., channels)."""
        return (*centre_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "bandwidth": self.bandwidth}
