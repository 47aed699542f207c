"""Meta-SR: filters predicted from the position inside an LR pixel."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder, interleaved
from tfsr.errors import InvalidArgument
from tfsr.geometry import Axis, Lookup, Neighbour, SamplingPlan, grid_plan
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
        """The features through the hyper-network's last layer: a map of `hidden` and 1 a colour."""
        return ops.split(self.projection(features), 3, axis=-1)

    def condition(self, rows: Axis, columns: Axis) -> Any:
        """The hyper-network's hidden values: the same for all pictures of one size."""
        return self._hidden(rows.neighbour(0), columns.neighbour(0))

    def decode(self, features, rows: Neighbour, columns: Neighbour, condition: Any):
        """The hidden values' product with the projected features."""
        hidden = ops.cast(condition, features[0].dtype)
        answers = [
            ops.sum(hidden * colour[..., :-1], axis=-1, keepdims=True) + colour[..., -1:]
            for colour in features
        ]
        return ops.concatenate(answers, axis=-1)

    has_sub_pixels = True

    def sub_pixel_filters(self, scales: tuple[int, int]):
        """Projection and predicted filters of a whole scale as one kernel, (3, 3, n, 3 s t).

        Every LR pixel has the same sub-pixels then, so the same hidden values and filters.
        """
        pixel = grid_plan((1, 1), scales, lookup=self.lookup)
        hidden = self.grid_condition(pixel.rows, pixel.columns)
        hidden = ops.reshape(hidden, (math.prod(scales), self.hidden))
        hidden = ops.concatenate([hidden, ops.ones_like(hidden[:, :1])], axis=-1)
        kernel = ops.convert_to_tensor(self.projection.kernel)
        taps = ops.reshape(kernel, (*kernel.shape[:3], 3, self.hidden + 1))
        filters = ops.einsum("ijcok,sk->ijcso", taps, ops.cast(hidden, kernel.dtype))
        return ops.reshape(filters, (*kernel.shape[:3], 3 * math.prod(scales)))

    def sub_pixels(self, latent, filters):
        """All sub-pixels of each LR pixel, (batch, h, w, s t 3) float32 in [-1, 1].

        Args:
            latent: (batch, h, w, channels).
            filters: what `sub_pixel_filters` answered for the scales s and t.
        """
        features, filters = (ops.cast(x, self.compute_dtype) for x in (latent, filters))
        return ops.cast(ops.conv(features, filters, padding="same"), "float32")

    def whole_scale(self, latent, plan: SamplingPlan, draw: Any = None):
        """As `Decoder.whole_scale`: here one convolution."""
        scales = plan.whole_scales()
        if scales is None:
            return super().whole_scale(latent, plan, draw)
        return interleaved(self.sub_pixels(latent, self.sub_pixel_filters(scales)), *scales)

    def _hidden(self, rows: Neighbour, columns: Neighbour):
        # Offsets and cells count two to an LR pixel.
        encoded = [self.offset_encoding(a.offset / 2, a.cell / 2) for a in (rows, columns)]
        row_term, column_term = self.position(*encoded)
        if self.encoding != "integrated":
            row_term = row_term + self.scale(rows.cell / 2)
        return ops.relu(row_term + column_term)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "encoding": self.encoding,
            "bandwidth": self.bandwidth,
        }
