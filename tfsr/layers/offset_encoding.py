"""What a decoder is told about where a query lies beside its neighbour."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.layers.integrated_positional_encoding import IntegratedPositionalEncoding
from tfsr.layers.positional_encoding import PositionalEncoding

_KINDS = ("none", "positional", "integrated")


@keras.saving.register_keras_serializable("tfsr")
class OffsetEncoding(keras.layers.Layer):
    """An offset as it is, its positional encoding, or that encoding's mean over the output pixel.

    Args:
        encoding: str. "none", "positional" (sines and cosines alone, the offset itself is left
            out) or "integrated". Defaults to "none".
        bandwidth: int. Octaves of the encodings. Defaults to 10.

    Input shape: offset and radius (half the output pixel), (..., 1) each, in the same unit.
    Output shape: (..., channels), float32.

    Raises:
        InvalidArgument: if the encoding is unknown.

    Reference:
        IPE-LIIF (Liu, Guo, Zhang, arXiv 2112.05756), section 3 and table 4.
    """

    def __init__(self, encoding: str = "none", bandwidth: int = 10, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if encoding not in _KINDS:
            raise InvalidArgument(
                f"encoding must be one of {', '.join(_KINDS)}; got {encoding!r}."
                + did_you_mean(str(encoding), _KINDS)
            )
        self.encoding = encoding
        self.bandwidth = bandwidth
        self.positional = PositionalEncoding(bandwidth, identity=False, name="positional")
        self.integrated = IntegratedPositionalEncoding(bandwidth, name="integrated")

    @property
    def channels(self) -> int:
        """Values per axis."""
        return 1 if self.encoding == "none" else 2 * self.bandwidth

    def build(self, offset_shape=None, radius_shape=None) -> None:
        """Nothing to make: encodings have no weights."""
        self.positional.build(offset_shape)
        self.integrated.build(offset_shape)

    def call(self, offset, radius):
        """(..., 1) and (..., 1) to (..., channels)."""
        if self.encoding == "positional":
            return self.positional(offset)
        if self.encoding == "integrated":
            return self.integrated(offset, radius)
        return offset

    def compute_output_shape(self, offset_shape, radius_shape=None):
        """(..., channels)."""
        return (*offset_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        return {**config, "encoding": self.encoding, "bandwidth": self.bandwidth}
