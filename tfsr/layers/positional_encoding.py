"""Positional encodings of coordinates, one axis at a time."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import check_choice
from tfsr.layers.configured_layer import ConfiguredLayer


@keras.saving.register_keras_serializable("tfsr")
class PositionalEncoding(ConfiguredLayer):
    """Sines and cosines of one coordinate at octave frequencies.

    x -> [x, sin(x), cos(x), sin(2x), cos(2x), ..., sin(2^(L-1) x), cos(2^(L-1) x)], without a
    factor of pi, as in the published ARASFSR code.

    Always computed in float32, whatever the dtype policy: 2^9 times a coordinate leaves a 16-bit
    float no fraction.

    Args:
        bandwidth: int. Number of octaves L. Defaults to 10.
        identity: bool. Whether x itself comes first. Defaults to True.

    Input shape: (..., 1). Output shape: (..., 2 * bandwidth + identity), float32.

    Reference:
        Tancik et al., NeurIPS 2020 (arXiv 2006.10739); ARASFSR (arXiv 2511.16341).

    Example:
        >>> tfsr.layers.PositionalEncoding(4)(np.zeros((5, 1), "float32")).shape
        TensorShape([5, 9])
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
        waves = _waves(x, self.bandwidth)
        return ops.concatenate([x, waves], axis=-1) if self.identity else waves


@keras.saving.register_keras_serializable("tfsr")
class OffsetEncoding(ConfiguredLayer):
    """An offset unchanged, its positional encoding, or that encoding's mean over the output pixel.

    Over x in [c - r, c + r] the mean of sin(w x) is sin(w c) sin(w r) / (w r), and of cos(w x)
    cos(w c) sin(w r) / (w r): frequencies that the pixel is too large to resolve fade out. With
    w = 2^l, l = 0 .. L-1, no factor of pi and no identity term. Always computed in float32.

    Args:
        encoding: str. "none", "positional" (sines and cosines without the offset itself) or
            "integrated". Defaults to "none".
        bandwidth: int. Number of octaves L. Defaults to 10.

    Input shape: offset and radius (half the output pixel), (..., 1) each, in the same unit.
    Output shape: (..., channels), float32.

    Raises:
        InvalidArgument: if the encoding is unknown.

    Reference:
        IPE-LIIF (Liu, Guo, Zhang, arXiv 2112.05756), equations 5 and 6, and table 4. Equation 6
        prints sinc where the integral gives sin; the rest of the fraction is there.

    Example:
        >>> offset, radius = np.zeros((2, 5, 1), "float32")
        >>> tfsr.layers.OffsetEncoding("positional", 4)(offset, radius).shape
        TensorShape([5, 8])
    """

    def __init__(self, encoding: str = "none", bandwidth: int = 10, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        check_choice("encoding", encoding, ("none", "positional", "integrated"))
        self.encoding = encoding
        self.bandwidth = bandwidth

    @property
    def channels(self) -> int:
        """Values per axis."""
        return 1 if self.encoding == "none" else 2 * self.bandwidth

    def call(self, offset, radius):
        """(..., 1) and (..., 1) to (..., channels)."""
        if self.encoding == "none":
            return offset
        waves = _waves(offset, self.bandwidth)
        return waves * _fade(radius, self.bandwidth) if self.encoding == "integrated" else waves


def _octaves(bandwidth: int) -> np.ndarray:
    """(2 bandwidth,) float32: 1, 1, 2, 2, 4, 4 and so on, for a sine and a cosine each."""
    return np.repeat(2.0 ** np.arange(bandwidth), 2).astype(np.float32)


def _waves(x, bandwidth: int):
    """The sine in every even channel and the cosine in every odd one.

    By factors of 1 and 0: stacking and reshaping would need an axis more than the GPU delegates of
    TFLite support.
    """
    phases = ops.cast(x, "float32") * _octaves(bandwidth)
    odd = np.arange(2 * bandwidth, dtype=np.float32) % 2
    return ops.sin(phases) * (1 - odd) + ops.cos(phases) * odd


def _fade(radius, bandwidth: int):
    """sin(w r) / (w r) of each channel; exactly 1, not 0/0, for a pixel of size 0."""
    spread = ops.cast(radius, "float32") * _octaves(bandwidth)
    point = spread == 0.0
    return ops.where(point, 1.0, ops.sin(spread) / ops.where(point, 1.0, spread))
