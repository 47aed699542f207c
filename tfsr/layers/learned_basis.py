"""Meta-SR's hyper-network, written as a learned basis."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry import Neighbour
from tfsr.layers.basis import Basis, by_colour, for_each_colour
from tfsr.layers.linear_layers import Linear, SeparableDense
from tfsr.layers.positional_encoding import OffsetEncoding


@keras.saving.register_keras_serializable("tfsr")
class LearnedBasis(Basis):
    """Functions of the position that a layer of ReLUs computes, and the constant 1.

    Args:
        functions: int. Width of the layer. Defaults to 256.
        encoding: str. The layer's input: "none", the position and 1 / scale; "positional", the
            position's sines and cosines and 1 / scale; "integrated", their means over the output
            pixel. Defaults to "none".
        bandwidth: int. Octaves of the encodings. Defaults to 10.

    Raises:
        InvalidArgument: if `functions` is not positive, or the encoding is unknown.

    Reference:
        Hu et al., Meta-SR, CVPR 2019 (arXiv 1903.00875), section 3.2: the hidden layer of the
        network that predicts filters. Filters are linear in it, so it is a basis.

    Example:
        >>> tfsr.layers.LearnedBasis(functions=16).coefficients
        51
    """

    def __init__(
        self, functions: int = 256, encoding: str = "none", bandwidth: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if functions < 1:
            # The decoder's argument.
            raise InvalidArgument(f"must be positive; received {functions}", argument="hidden")
        self.functions = functions
        self.bandwidth = bandwidth
        self.encoding = encoding
        self.offset_encoding = OffsetEncoding(encoding, bandwidth, name="offset_encoding")

    def build(self, input_shape=None) -> None:
        """Build the layer."""
        channels = self.offset_encoding.channels
        sees_scale = self.encoding != "integrated"
        inputs = 2 * channels + sees_scale
        self.position = SeparableDense(self.functions, inputs, use_bias=True, name="position")
        self.position.build((None, channels))
        if sees_scale:
            self.scale = Linear(
                self.functions, inputs, use_bias=False, dtype="float32", name="scale"
            )
            self.scale.build((None, 1))
        self.built = True

    @property
    def colours(self) -> np.ndarray:
        """As `Basis.colours`."""
        return by_colour(self.functions + 1)

    def values(self, rows: Neighbour, columns: Neighbour):
        """As `Basis.values`; the scale is that of the rows."""
        # In offsets and cells an LR pixel is 2 wide.
        encoded = [self.offset_encoding(a.offset / 2, a.cell / 2) for a in (rows, columns)]
        row_term, column_term = self.position(*encoded)
        if self.encoding != "integrated":
            row_term = row_term + self.scale(rows.cell / 2)
        hidden = ops.relu(row_term + column_term)
        one = ops.ones_like(hidden[..., :1])
        return for_each_colour(ops.concatenate([hidden, one], axis=-1))
