"""Meta-SR: filters predicted from the position inside an LR pixel."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.decoders.linear import LinearDecoder
from tfsr.geometry import NeighbourMode
from tfsr.layers import Convolution, LearnedBasis


@keras.saving.register_keras_serializable("tfsr")
class MetaSR(LinearDecoder):
    """Meta-SR: a hyper-network predicts a 3x3 filter of the features for each output pixel.

    As published, the filter W2 relu(W1 v + b1) + b2 (1728 numbers a pixel) is predicted and then
    applied. Both are linear in its last layer: projecting the features through W2 and b2, a
    convolution to 3 x (hidden + 1) channels on the LR grid, leaves a dot product with the hidden
    values. No filter is ever predicted, and the numbers are the same.

    The position is that of the output pixel's top left corner in the LR pixel that contains it, in
    LR pixels, and 1 / scale (of the rows, as in the code published with LIIF).

    Args:
        hidden: hidden width of the hyper-network.
        encoding: of the position: "none", itself and 1 / scale, as published; "positional", its
            sines and cosines and 1 / scale; "integrated", their means over the output pixel
            instead of both (IPE-Meta-SR).
        bandwidth: octaves of the encodings.
        skip: interpolation of the input that is added: "bilinear", "nearest" or "none", as
            published.

    Raises:
        InvalidArgument: for an impossible hidden width, encoding or skip.

    Reference:
        Hu et al., CVPR 2019 (arXiv 1903.00875), in the form of LIIF's code; IPE-Meta-SR: Liu, Guo,
        Zhang, arXiv 2112.05756, equation 10.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "metasr").decoder.basis_layer.coefficients
        771
    """

    def __init__(
        self,
        hidden: int = 256,
        encoding: str = "none",
        bandwidth: int = 10,
        skip: str = "none",
        **kwargs: Any,
    ) -> None:
        basis = LearnedBasis(hidden, encoding, bandwidth, name="basis")
        super().__init__(basis, local_ensemble=False, skip=skip, **kwargs)
        self.hidden = hidden
        self.bandwidth = bandwidth
        self.query_width = hidden
        # W2 and b2, which the published hyper-network starts as its last layer.
        self.projection = Convolution(
            basis.coefficients,
            fan_in=hidden,
            use_bias=False,
            dtype=self.dtype_policy,
            name="projection",
        )

    @property
    def encoding(self) -> str:
        """What stands for the position."""
        return self.basis_layer.encoding

    @property
    def neighbour_mode(self) -> NeighbourMode:
        """The LR pixel that contains the output pixel's top left corner."""
        return "corner"

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.basis_layer.build(None)
        self.projection.build(input_shape)

    @property
    def last_layer(self) -> Convolution:
        """As `LinearDecoder.last_layer`: the hyper-network's."""
        return self.projection

    def coefficients(self, features):
        """As `LinearDecoder.coefficients`: the features through the hyper-network's last layer."""
        return self.projection(features)

    def basis_costs(self) -> list[LayerCost]:
        """As `LinearDecoder.basis_costs`."""
        basis = self.basis_layer
        if self.encoding == "integrated":
            return separable_costs(basis.position)
        return [*separable_costs(basis.position), LayerCost((basis.scale,), "query", "neighbour")]
