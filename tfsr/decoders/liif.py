"""LIIF: the local implicit image function; with encodings, IPE-LIIF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.geometry import Neighbour
from tfsr.layers import (
    MLP,
    Convolution,
    OffsetEncoding,
    SeparableDense,
    SkipMLP,
    hidden_widths,
)


@keras.saving.register_keras_serializable("tfsr")
class LIIF(Decoder):
    """LIIF: a perceptron on [3x3 features, offset to the neighbour, cell], with a local ensemble.

    The published code unfolds 3x3 features (576 channels) into the first layer. An unfold followed
    by a linear layer is a 3x3 convolution, so here it is one, on the LR grid. With `skip` the same
    holds for every hidden layer. IPE-LIIF is `encoding="integrated", cell_decode=False, skip=True`.

    Args:
        hidden: hidden widths.
        encoding: of the offset: "none"; "positional", its sines and cosines; "integrated", their
            means over the output pixel.
        bandwidth: octaves of the encodings.
        skip: whether the whole input is given to every hidden layer again.
        local_ensemble: False is LIIF's ablation -e.
        feat_unfold: False is its ablation -u: the neighbour's own features alone.
        cell_decode: False is its ablation -c: no output pixel size.

    Reference:
        Chen, Liu, Wang, CVPR 2021 (arXiv 2012.09161), sections 3 and 4, table 4 for the ablations;
        Liu, Guo, Zhang, arXiv 2112.05756, for the encodings and the skip connections.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "ipe-liif").decoder.encoding
        'integrated'
    """

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256, 256, 256),
        encoding: str = "none",
        bandwidth: int = 10,
        skip: bool = False,
        local_ensemble: bool = True,
        feat_unfold: bool = True,
        cell_decode: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=False, **kwargs)
        self.hidden = hidden_widths(hidden)
        self.bandwidth = bandwidth
        self.skip = skip
        self.feat_unfold = feat_unfold
        self.cell_decode = cell_decode
        self.offset_encoding = OffsetEncoding(encoding, bandwidth, name="offset_encoding")
        self.query_width = max(self.hidden)

    @property
    def encoding(self) -> str:
        """What stands for the offset."""
        return self.offset_encoding.encoding

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        position = self.offset_encoding.channels + self.cell_decode
        inputs = input_shape[-1] * (9 if self.feat_unfold else 1) + 2 * position
        policy = self.dtype_policy
        self.projections, self.positions = [], []
        for i, width in enumerate(self.hidden if self.skip else self.hidden[:1]):
            fan_in = inputs + (self.hidden[i - 1] if i else 0)
            projection = Convolution(
                width, 3 if self.feat_unfold else 1, fan_in, dtype=policy, name=f"projection_{i}"
            )
            projection.build(input_shape)
            self.projections.append(projection)
            separable_dense = SeparableDense(width, fan_in, name=f"position_{i}")
            separable_dense.build((None, position))
            self.positions.append(separable_dense)
        if self.skip:
            self.mlp = SkipMLP(self.hidden, inputs, dtype=policy, name="mlp")
        else:
            self.mlp = MLP(self.hidden, dtype=policy, name="mlp")
        self.mlp.build((None, self.hidden[0]))

    def project(self, features):
        """The features' share of each layer that sees them, biases included: one map a layer."""
        return [layer(features) for layer in self.projections]

    def add_row_terms(self, features, rows: Neighbour):
        """The row's share of those layers added."""
        return _add_terms(
            features, [layer.row_term for layer in self.positions], self._position(rows)
        )

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """The column's share of those layers, and the perceptron."""
        terms = [layer.column_term for layer in self.positions]
        shares = _add_terms(features, terms, self._position(columns))
        return self.mlp(shares if self.skip else shares[0])

    def _position(self, axis: Neighbour):
        encoded = self.offset_encoding(axis.offset, axis.cell / 2)
        return SeparableDense.values(encoded, axis.cell) if self.cell_decode else encoded

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost(tuple(self.projections), "pixel", "neighbour"),
            *separable_costs(*self.positions),
            LayerCost((self.mlp,), "neighbour", "neighbour"),
        ]


def _add_terms(maps, terms, position):
    """Each map with its term of the position added: terms are computed in float32."""
    return [
        share + ops.cast(term(position), share.dtype)
        for share, term in zip(maps, terms, strict=True)
    ]
