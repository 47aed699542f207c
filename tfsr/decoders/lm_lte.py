"""LM-LTE: LTE's waves, modulated by a network that runs once for each LR pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
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
    ModulatedLinear,
    SeparableDense,
    hidden_widths,
    split_modulation,
)


@keras.saving.register_keras_serializable("tfsr")
class LMLTE(Decoder):
    """LM-LTE: few waves and a narrow perceptron per query, from a wide network per LR pixel.

    The latent network sees LTE's amplitudes and waves at the LR pixel's centre, with a phase that
    depends on the cell. It predicts amplitudes and frequencies of 8 waves instead of 128 and, for
    every layer of the render network, a scale and a shift per channel. The render network is LTE's
    perceptron on those waves at the offset, 16 wide instead of 256.

    Args:
        hidden: hidden widths of the render network.
        latent_hidden: hidden widths of the latent network.
        waves: waves that the latent network sees, each with a cosine and a sine.
        render_waves: waves that the render network sees.
        local_ensemble: False: the nearest LR pixel alone.
        skip: False: no interpolated input.
        max_scale: clamps both phases' cell to that of this scale; see `LTE`.

    Raises:
        InvalidArgument: if a width, a number of waves or `max_scale` is not positive.

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), sections 3.1 and 3.2; the sizes are those of its
        published code.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "lm-lte").decoder.render_waves
        8
    """

    has_cell_projection = True

    def __init__(
        self,
        hidden: Sequence[int] = (16,) * 8,
        latent_hidden: Sequence[int] = (288,),
        waves: int = 64,
        render_waves: int = 8,
        local_ensemble: bool = True,
        skip: bool = True,
        max_scale: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=skip, **kwargs)
        for name, value in (("waves", waves), ("render_waves", render_waves)):
            if value < 1:
                raise InvalidArgument(f"{name} must be at least 1; received {value}")
        self.hidden = hidden_widths(hidden)
        self.latent_hidden = hidden_widths(latent_hidden, "latent_hidden")
        self.waves = waves
        self.render_waves = render_waves
        self.skip = skip
        self.max_scale = check_max_scale(max_scale)
        self.query_width = max(2 * render_waves, *self.hidden)
        policy, width = self.dtype_policy, self.latent_hidden[0]
        self.amplitude = Convolution(2 * waves, dtype=policy, name="latent_amplitude")
        # Row frequencies first, then column frequencies; the same of the render network's.
        self.frequency = Convolution(2 * waves, dtype=policy, name="latent_frequency")
        self.phase = SeparableDense(waves, name="latent_phase")
        self.latent_first = Linear(width, dtype=policy, name="latent_first")
        values = 2 * sum(self.hidden) + 4 * render_waves
        self.latent_mlp = MLP(self.latent_hidden, values, dtype=policy, name="latent_mlp")
        self.render_phase = SeparableDense(render_waves, name="render_phase")
        self.first = ModulatedLinear(self.hidden[0], dtype=policy, name="first")
        self.mlp = LatentModulatedMLP(self.hidden, dtype=policy, name="mlp")

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.amplitude.build(input_shape)
        self.frequency.build(input_shape)
        self.phase.build((None, 1))
        self.latent_first.build((None, 2 * self.waves))
        self.latent_mlp.build((None, self.latent_hidden[0]))
        self.render_phase.build((None, 1))
        self.first.build((None, 2 * self.render_waves))
        self.mlp.build((None, self.hidden[0]))

    def project(self, features):
        """Amplitudes, and the sum of row and column frequency, of each LR pixel's waves.

        The latent network sees no more than that sum, so the kernels are added instead of the
        outputs: half the work.
        """
        rows, columns = ops.split(ops.convert_to_tensor(self.frequency.kernel), 2, axis=-1)
        row_bias, column_bias = ops.split(ops.convert_to_tensor(self.frequency.bias), 2)
        kernel = ops.cast(rows + columns, features.dtype)
        frequency = ops.conv(features, kernel, padding="same", data_format="channels_last")
        frequency = frequency + ops.cast(row_bias + column_bias, features.dtype)
        return [self.amplitude(features), frequency]

    def project_cell(self, projected, row_cell, column_cell):
        """The waves that the latent network sees, and that network.

        Returns:
            Amplitudes, row frequencies and column frequencies of the render network's waves, then
            factor and offset of each of its layers.
        """
        amplitude, frequency = projected
        row_phase, column_phase = self.phase(
            clamp_cell(row_cell, self.max_scale), clamp_cell(column_cell, self.max_scale)
        )
        phase = np.pi * (ops.cast(frequency, "float32") + (row_phase + column_phase))
        seen = amplitude * _waves(phase, amplitude.dtype)
        values = self.latent_mlp(self.latent_first(seen))
        scales, shifts, waves = split_modulation(values, self.hidden)
        amplitude, row_frequency, column_frequency = ops.split(
            waves, [2 * self.render_waves, 3 * self.render_waves], axis=-1
        )
        modulation = [
            *self.first.fold(scales[0], shifts[0]),
            *self.mlp.modulation(scales[1:], shifts[1:]),
        ]
        return [amplitude, row_frequency, column_frequency, *modulation]

    def add_row_terms(self, features, rows: Neighbour):
        """The row frequencies become the row's share of the phases."""
        amplitude, row_frequency, *others = features
        # The phases' factor of pi is given to vectors, here and below.
        row_phase = np.pi * self.render_phase.row_term(clamp_cell(rows.cell, self.max_scale))
        share = ops.cast(row_frequency, "float32") * (np.pi * rows.offset) + row_phase
        return [amplitude, share, *others]

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """Waves at the offset, and the render network."""
        amplitude, row_share, column_frequency, factor, offset, *layers = features
        column_phase = np.pi * self.render_phase.column_term(
            clamp_cell(columns.cell, self.max_scale)
        )
        column_share = ops.cast(column_frequency, "float32") * (np.pi * columns.offset)
        waves = _waves(row_share + (column_share + column_phase), amplitude.dtype)
        return self.mlp(self.first(amplitude * waves, factor, offset), layers)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost(
                (self.amplitude, self.phase, self.latent_first, self.latent_mlp), "pixel", "pixel"
            ),
            LayerCost((self.frequency,), "pixel", "pixel", share=0.5),
            *separable_costs(self.render_phase),
            LayerCost((self.first, self.mlp), "neighbour", "neighbour"),
        ]


def _waves(phase, dtype: str):
    """Cosines, then sines, of float32 phases (..., n): (..., 2 n)."""
    return ops.cast(ops.concatenate([ops.cos(phase), ops.sin(phase)], axis=-1), dtype)
