"""LM-LIIF: LIIF's function, modulated by a network that runs once for each LR pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.cell_limit import check_max_scale, clamp_cell
from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.errors import InvalidArgument
from tfsr.geometry import Neighbour
from tfsr.layers import (
    MLP,
    Convolution,
    LatentModulatedMLP,
    Linear,
    SeparableDense,
    hidden_widths,
    split_modulation,
)


@keras.saving.register_keras_serializable("tfsr")
class LMLIIF(Decoder):
    """LM-LIIF: a narrow perceptron per query, modulated by a wide one per LR pixel.

    The latent network, on [3x3 features, cell], predicts a short code and, for every layer of the
    render network, a scale and a shift per channel. The render network is LIIF's perceptron on
    [code, offset to the neighbour, cell], 16 wide instead of 256.

    Args:
        hidden: hidden widths of the render network.
        latent_hidden: hidden widths of the latent network.
        code: channels of the code.
        local_ensemble: False: the nearest LR pixel alone.
        feat_unfold: False: the latent network sees the LR pixel's own features alone.
        cell_decode: False: neither network is given the output pixel's size.
        max_scale: clamps the cell to that of this scale. The authors evaluate with 4, the largest
            scale of training, and train with None.

    Raises:
        InvalidArgument: if a width, `code` or `max_scale` is not positive.

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), sections 3.1 and 3.2; the sizes are those of its
        published code.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "lm-liif").decoder.query_width
        16
    """

    has_cell_projection = True

    def __init__(
        self,
        hidden: Sequence[int] = (16,) * 6,
        latent_hidden: Sequence[int] = (208,),
        code: int = 16,
        local_ensemble: bool = True,
        feat_unfold: bool = True,
        cell_decode: bool = True,
        max_scale: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=False, **kwargs)
        if code < 1:
            raise InvalidArgument(f"code must be at least 1; received {code}")
        self.hidden = hidden_widths(hidden)
        self.latent_hidden = hidden_widths(latent_hidden, "latent_hidden")
        self.code = code
        self.feat_unfold = feat_unfold
        self.cell_decode = cell_decode
        self.max_scale = check_max_scale(max_scale)
        self.query_width = max(self.hidden)

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        policy, width = self.dtype_policy, self.latent_hidden[0]
        inputs = input_shape[-1] * (9 if self.feat_unfold else 1) + 2 * self.cell_decode
        kernel_size = 3 if self.feat_unfold else 1
        self.projection = Convolution(
            width, kernel_size, inputs, dtype=policy, name="latent_projection"
        )
        self.projection.build(input_shape)
        if self.cell_decode:
            self.cell = SeparableDense(width, inputs, name="latent_cell")
            self.cell.build((None, 1))
        values = 2 * sum(self.hidden) + self.code
        self.latent_mlp = MLP(self.latent_hidden, values, dtype=policy, name="latent_mlp")
        self.latent_mlp.build((None, width))

        # The render network's first layer, in the parts that its inputs come in.
        position = 1 + self.cell_decode
        inputs = self.code + 2 * position
        self.code_layer = Linear(self.hidden[0], inputs, dtype=policy, name="code")
        self.code_layer.build((None, self.code))
        self.position = SeparableDense(self.hidden[0], inputs, name="position")
        self.position.build((None, position))
        self.mlp = LatentModulatedMLP(self.hidden, dtype=policy, name="mlp")
        self.mlp.build((None, self.hidden[0]))

    def project(self, features):
        """The features' share of the latent network's first layer, its bias included."""
        return self.projection(features)

    def project_cell(self, projected, row_cell, column_cell):
        """The rest of the latent network.

        Returns:
            The code's share of the render network's first layer, modulated; that layer's factor;
            then factor and offset of each layer after it.
        """
        if self.cell_decode:
            cells = (clamp_cell(cell, self.max_scale) for cell in (row_cell, column_cell))
            row_term, column_term = self.cell(*cells)
            projected = projected + ops.cast(row_term + column_term, projected.dtype)
        values = self.latent_mlp(projected)
        scales, shifts, code = split_modulation(values, self.hidden)
        factor = 1.0 + scales[0]
        first = self.code_layer(code) * factor + shifts[0]
        return [first, factor, *self.mlp.modulation(scales[1:], shifts[1:])]

    def add_row_terms(self, features, rows: Neighbour):
        """The row's share of the first layer added."""
        first, factor, *modulation = features
        row_term = ops.cast(self.position.row_term(self._position(rows)), first.dtype)
        return [first + factor * row_term, factor, *modulation]

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """The column's share of the first layer, and the layers after it."""
        first, factor, *layers = features
        column_term = ops.cast(self.position.column_term(self._position(columns)), first.dtype)
        return self.mlp(first + factor * column_term, layers)

    def _position(self, axis: Neighbour):
        if not self.cell_decode:
            return SeparableDense.values(axis.offset)
        return SeparableDense.values(axis.offset, clamp_cell(axis.cell, self.max_scale))

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost((self.projection, self.latent_mlp), "pixel", "pixel"),
            *([LayerCost((self.cell,), "pixel", "pixel")] if self.cell_decode else []),
            LayerCost((self.code_layer,), "pixel", "neighbour"),
            *separable_costs(self.position),
            LayerCost((self.mlp,), "neighbour", "neighbour"),
        ]
