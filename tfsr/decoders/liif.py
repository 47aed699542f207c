"""LIIF: the local implicit image function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder
from tfsr.geometry import Neighbour
from tfsr.layers import MLP, AxisDense, Convolution, hidden_widths


@keras.saving.register_keras_serializable("tfsr")
class LIIF(Decoder):
    """A perceptron on [3x3 features, offset to the neighbour, cell], with a local ensemble.

    The published code unfolds 3x3 features (576 channels) into the first layer. An unfold followed
    by a linear layer is a 3x3 convolution, so here it is one, on the LR grid; the numbers are the
    same.

    Args:
        hidden: sequence of int. Hidden widths. Defaults to 4 layers of 256.
        local_ensemble: bool. False is the paper's ablation -e.
        feat_unfold: bool. False is its ablation -u: the neighbour's own features alone.
        cell_decode: bool. False is its ablation -c: the output pixel's size is not told.

    Reference:
        Chen, Liu, Wang, CVPR 2021 (arXiv 2012.09161), sections 3 and 4; table 4 for the ablations.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256, 256, 256),
        local_ensemble: bool = True,
        feat_unfold: bool = True,
        cell_decode: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, skip=False, **kwargs)
        self.hidden = hidden_widths(hidden)
        self.feat_unfold = feat_unfold
        self.cell_decode = cell_decode
        policy = self.dtype_policy
        kernel = 3 if feat_unfold else 1
        self.projection = Convolution(self.hidden[0], kernel, dtype=policy, name="projection")
        self.mlp = MLP(self.hidden, dtype=policy, name="mlp")

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        position = 2 if self.cell_decode else 1
        fan_in = input_shape[-1] * (9 if self.feat_unfold else 1) + 2 * position
        self.position = AxisDense(self.hidden[0], fan_in, name="position")
        self.position.build((None, position))
        self.projection.build(input_shape)
        self.mlp.build((None, self.hidden[0]))

    def project(self, features):
        """The first layer's share of the features, its bias included."""
        return self.projection(features)

    def decode(self, features, rows: Neighbour, columns: Neighbour, condition: Any):
        """The first layer's share of the position, and the layers after it."""
        row_term, column_term = self.position(self._position(rows), self._position(columns))
        x = features + ops.cast(row_term, features.dtype) + ops.cast(column_term, features.dtype)
        return self.mlp(x)

    def _position(self, axis: Neighbour):
        return ops.concatenate([axis.offset, axis.cell], -1) if self.cell_decode else axis.offset

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["skip"]
        return {
            **config,
            "hidden": list(self.hidden),
            "feat_unfold": self.feat_unfold,
            "cell_decode": self.cell_decode,
        }
