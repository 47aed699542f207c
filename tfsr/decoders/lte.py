"""LTE: the local texture estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders.cell_limit import check_max_scale, clamp_cell
from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.geometry import Neighbour
from tfsr.layers import MLP, Convolution, Linear, SeparableDense, hidden_widths


@keras.saving.register_keras_serializable("tfsr")
class LTE(Decoder):
    """LTE: amplitudes and frequencies estimated for each LR pixel, phases from the cell.

    Around an LR pixel the image is taken as a sum of waves: their amplitudes and frequencies are
    convolutions of its features, their phase also a linear function of the cell. A perceptron
    makes the colour of them, and the bilinearly interpolated input is added.

    LTE+ is the same function; the authors run its perceptron as 1x1 convolutions over the image
    for speed, which every decoder here does in effect.

    Args:
        waves: number of waves, each with a cosine and a sine.
        hidden: hidden widths of the perceptron.
        local_ensemble: False: the nearest LR pixel alone.
        skip: False: no interpolated input.
        max_scale: clamps the phase's cell to that of this scale. The authors evaluate with 4, the
            largest scale of training, and train with None.

    Raises:
        InvalidArgument: if a width or `max_scale` is not positive.

    Reference:
        Lee, Jin, CVPR 2022 (arXiv 2111.08918), section 3, equations 5 to 9.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", {"name": "lte", "max_scale": 4}).decoder.max_scale
        4
    """

    def __init__(
        self,
        waves: int = 128,
        hidden: Sequence[int] = (256, 256, 256),
        local_ensemble: bool = True,
        skip: bool = True,
        max_scale: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=skip, **kwargs)
        self.skip = skip
        self.waves = waves
        self.hidden = hidden_widths(hidden)
        self.max_scale = check_max_scale(max_scale)
        self.query_width = max(2 * waves, *self.hidden)
        policy = self.dtype_policy
        self.amplitude = Convolution(2 * waves, dtype=policy, name="amplitude")
        # Row frequencies first, then column frequencies. They multiply offsets under a sine.
        self.frequency = Convolution(2 * waves, dtype=policy, name="frequency")
        self.phase = SeparableDense(waves, name="phase")
        self.first = Linear(self.hidden[0], dtype=policy, name="first")
        self.mlp = MLP(self.hidden, dtype=policy, name="mlp")

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.amplitude.build(input_shape)
        self.frequency.build(input_shape)
        self.phase.build((None, 1))
        self.first.build((None, 2 * self.waves))
        self.mlp.build((None, self.hidden[0]))

    def project(self, features):
        """Amplitudes, row frequencies and column frequencies of each LR pixel."""
        row_frequency, column_frequency = ops.split(self.frequency(features), 2, axis=-1)
        return [self.amplitude(features), row_frequency, column_frequency]

    def add_row_terms(self, features, rows: Neighbour):
        """The row frequencies become the row's share of the phases."""
        amplitude, row_frequency, column_frequency = features
        # The phases' factor of pi is given to vectors, here and below.
        row_phase = np.pi * self.phase.row_term(self._cell(rows))
        share = ops.cast(row_frequency, "float32") * (np.pi * rows.offset) + row_phase
        return [amplitude, share, column_frequency]

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """Waves at the offset, and the perceptron."""
        amplitude, row_share, column_frequency = features
        column_phase = np.pi * self.phase.column_term(self._cell(columns))
        column_share = ops.cast(column_frequency, "float32") * (np.pi * columns.offset)
        phase = row_share + (column_share + column_phase)
        waves = ops.concatenate([ops.cos(phase), ops.sin(phase)], axis=-1)
        return self.mlp(self.first(amplitude * ops.cast(waves, amplitude.dtype)))

    def _cell(self, axis: Neighbour):
        return clamp_cell(axis.cell, self.max_scale)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost((self.amplitude, self.frequency), "pixel", "pixel"),
            *separable_costs(self.phase),
            LayerCost((self.first, self.mlp), "neighbour", "neighbour"),
        ]
