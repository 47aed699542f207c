"""Meta-SR: filters predicted from the position inside an LR pixel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder
from tfsr.errors import InvalidArgument
from tfsr.geometry import Lookup, Neighbour
from tfsr.layers import AxisDense, Convolution, Linear, OffsetEncoding


@keras.saving.register_keras_serializable("tfsr")
class MetaSR(Decoder):
    """A hyper-network that predicts, for each output pixel, a 3x3 filter over the features.

    As published, the filter W2 relu(W1 v + b1) + b2 (1728 numbers a pixel) is predicted and then
    applied. Both are linear in its last layer: projecting the features through W2 and b2, a
    convolution to 3 x (hidden + 1) channels on the LR grid, leaves a dot product with the hidden
    values. No filter is ever predicted, and the numbers are the same.

    The position is that of the output pixel's top left corner in the LR pixel that contains it, in
    LR pixels, and 1 / scale (of the rows, as in the code published with LIIF).

    Args:
        hidden: int. Hidden width of the hyper-network. Defaults to 256.
        encoding: str. What stands for the position: "none", itself and 1 / scale, as published;
            "positional", its sines and cosines and 1 / scale; "integrated", their means over the
            output pixel instead of both (IPE-Meta-SR). Defaults to "none".
        bandwidth: int. Octaves of the encodings. Defaults to 10.

    Reference:
        Hu et al., CVPR 2019 (arXiv 1903.00875), in the form of LIIF's code; IPE-Meta-SR: Liu, Guo,
        Zhang, arXiv 2112.05756, equation 10.
    """

    def __init__(
        self, hidden: int = 256, encoding: str = "none", bandwidth: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(local_ensemble=False, input_skip=False, **kwargs)
        if hidden < 1:
            raise InvalidArgument(f"hidden must be positive; got {hidden}")
        self.hidden = hidden
        self.bandwidth = bandwidth
        self.offset_encoding = OffsetEncoding(encoding, bandwidth, name="offset_encoding")
        # W2 and b2, which the published hyper-network starts as its last layer.
        self.projection = Convolution(
            3 * (hidden + 1),
            fan_in=hidden,
            use_bias=False,
            dtype=self.dtype_policy,
            name="projection",
        )

    @property
    def encoding(self) -> str:
        """What stands for the position."""
        return self.offset_encoding.encoding

    @property
    def lookup(self) -> Lookup:
        """The LR pixel that contains the output pixel's top left corner."""
        return "corner"

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        channels = self.offset_encoding.channels
        tells_scale = self.encoding != "integrated"
        inputs = 2 * channels + tells_scale
        self.position = AxisDense(self.hidden, inputs, use_bias=True, name="position")
        self.position.build((None, channels))
        if tells_scale:
            self.scale = Linear(self.hidden, inputs, use_bias=False, dtype="float32", name="scale")
            self.scale.build((None, 1))
        self.projection.build(input_shape)

    def project(self, features):
        """The features through the hyper-network's last layer: (3 colours) x (hidden, then 1)."""
        return self.projection(features)

    def decode(self, features, rows: Neighbour, columns: Neighbour, condition: Any):
        """The hyper-network's hidden values, and their product with the projected features."""
        # Offsets and cells count two to an LR pixel.
        encoded = [self.offset_encoding(a.offset / 2, a.cell / 2) for a in (rows, columns)]
        row_term, column_term = self.position(*encoded)
        if self.encoding != "integrated":
            row_term = row_term + self.scale(rows.cell / 2)
        hidden = ops.cast(ops.relu(row_term + column_term), features.dtype)
        colours = ops.split(features, 3, axis=-1)
        answers = [
            ops.sum(hidden * colour[..., :-1], axis=-1, keepdims=True) + colour[..., -1:]
            for colour in colours
        ]
        return ops.concatenate(answers, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "encoding": self.encoding,
            "bandwidth": self.bandwidth,
        }
