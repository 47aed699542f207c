"""Thera: a heat field for each LR pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.layer_cost import LayerCost
from tfsr.decoders.linear import LinearDecoder
from tfsr.errors import InvalidArgument
from tfsr.geometry import NeighbourMode
from tfsr.layers import Convolution, HeatBasis


@keras.saving.register_keras_serializable("tfsr")
class Thera(LinearDecoder):
    """Thera: a heat field for each LR pixel.

    Waves have amplitudes and phases of each LR pixel, and frequencies that all of them share. A
    colour is sum_j W_j exp(-|nu_j|^2 k t) sin(nu_j . x + phi_j). W and phi are a linear layer of
    the features; W cos phi and W sin phi are then coefficients of sines and cosines without
    phases, so the output is linear in them. With the defaults this is Thera-Air as published: the
    nearest LR pixel alone, and the nearest-neighbour input added.

    Args:
        waves: number of waves.
        max_frequency: as in `HeatBasis`.
        local_ensemble: whether the four LR pixels around a query are blended.
        skip: interpolation of the input that is added: "bilinear", "nearest" or "none".
        mean: a colour in [0, 1] that the published code adds to the output.

    Raises:
        InvalidArgument: for an impossible number of waves, frequency, skip or mean.

    Reference:
        Becker et al., Thera, arXiv 2311.17643, section 3 and the supplement's table of sizes (Air).

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "thera").decoder.basis_layer.coefficients
        192
    """

    halo = 0

    def __init__(
        self,
        waves: int = 32,
        max_frequency: float = 16 * math.pi,
        local_ensemble: bool = False,
        skip: str = "nearest",
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        **kwargs: Any,
    ) -> None:
        if len(mean) != 3:
            raise InvalidArgument(f"mean must be 3 numbers; received {list(mean)}")
        super().__init__(
            HeatBasis(waves, max_frequency, name="basis"),
            local_ensemble=local_ensemble,
            skip=skip,
            mean=tuple(float(value) for value in mean),
            **kwargs,
        )
        self.waves = waves
        self.max_frequency = max_frequency
        # Amplitudes, by wave and colour, then phases.
        self.field = Convolution(4 * waves, 1, dtype=self.dtype_policy, name="field")

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.basis_layer.build(None)
        self.field.build(input_shape)

    @property
    def neighbour_mode(self) -> NeighbourMode:
        """As `Decoder.neighbour_mode`; of nearest pixels, Thera's own rule."""
        return "ensemble" if self.local_ensemble else "nearest-centred"

    def coefficients(self, features):
        """As `LinearDecoder.coefficients`: W cos phi, then W sin phi, by colour and wave."""
        field = self.field(features)
        # Phases are arguments of sines.
        phase = ops.cast(field[..., 3 * self.waves :], "float32")
        amplitudes = [ops.cast(field[..., c : 3 * self.waves : 3], "float32") for c in range(3)]
        sine, cosine = ops.sin(phase), ops.cos(phase)
        parts = [a * factor for factor in (cosine, sine) for a in amplitudes]
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost((self.field,), "pixel", "pixel"),
        ]
