"""The heat field's basis: plane waves, damped by their frequency and the pixel's size."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry import Neighbour
from tfsr.layers.basis import Basis, by_colour, for_each_colour

# k = sqrt(ln 4) / (2 pi^2), the initial value of Thera's training.
_DIFFUSIVITY = math.sqrt(math.log(4)) / (2 * math.pi**2)


@keras.saving.register_keras_serializable("tfsr")
class HeatBasis(Basis):
    """sin(nu . x) and cos(nu . x), times exp(-|nu|^2 k t), for a few trained frequencies nu.

    x is the offset in LR pixels, t = 1 / scale^2 (the scale of the rows, as published): at a small
    scale high frequencies are damped, as a larger pixel does to an image. Coefficients are in the
    order sine and cosine, colour, wave.

    Args:
        waves: int. Number of frequencies. Defaults to 32.
        max_frequency: float. Largest initial |nu|, in radians per LR pixel. Defaults to 16 pi, as
            published; half-cycles per LR pixel suffice for scales up to 8 (4 pi).

    Raises:
        InvalidArgument: if either is not positive.

    Reference:
        Becker et al., Thera, arXiv 2311.17643, section 3 (the field) and its supplement.

    Example:
        >>> tfsr.layers.HeatBasis(waves=32).coefficients
        192
    """

    separable = True
    parts = 2

    def __init__(self, waves: int = 32, max_frequency: float = 16 * math.pi, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if waves < 1:
            raise InvalidArgument(f"must be at least 1; received {waves}", argument="waves")
        if not 0 < max_frequency < math.inf:
            raise InvalidArgument(
                f"must be above 0, in radians per LR pixel; received {max_frequency}",
                argument="max_frequency",
            )
        self.waves = waves
        self.max_frequency = max_frequency

    def build(self, input_shape=None) -> None:
        """Create the frequencies, uniform in a disc, and the diffusivity."""

        def in_disc(shape, dtype=None):
            radius = self.max_frequency * ops.sqrt(keras.random.uniform(shape[1:], dtype=dtype))
            angle = keras.random.uniform(shape[1:], 0.0, 2 * math.pi, dtype=dtype)
            return ops.stack([radius * ops.sin(angle), radius * ops.cos(angle)])

        self.frequencies = self.add_weight(
            name="frequencies", shape=(2, self.waves), initializer=in_disc, autocast=False
        )
        self.diffusivity = self.add_weight(
            name="diffusivity",
            shape=(),
            initializer=keras.initializers.Constant(_DIFFUSIVITY),
            autocast=False,
        )
        self.built = True

    @property
    def colours(self) -> np.ndarray:
        """As `Basis.colours`: sines of the three colours, then cosines."""
        return by_colour(self.waves, parts=2)

    def values(self, rows: Neighbour, columns: Neighbour):
        """As `Basis.values`."""
        phase = self._phase(rows, 0) + self._phase(columns, 1)
        fade = self._fade(rows)
        return for_each_colour(fade * ops.sin(phase), fade * ops.cos(phase))

    def contract_rows(self, coefficients, rows: Neighbour):
        """As `Basis.contract_rows`: the factors of the columns' cosines and sines."""
        sines, cosines = ops.split(ops.cast(coefficients, "float32"), 2, axis=-1)
        phase, fade = self._phase(rows, 0), self._fade(rows)
        sine = for_each_colour(fade * ops.sin(phase))
        cosine = for_each_colour(fade * ops.cos(phase))
        return ops.concatenate(
            [sines * sine + cosines * cosine, sines * cosine - cosines * sine], axis=-1
        )

    def column_values(self, columns: Neighbour):
        """As `Basis.column_values`."""
        phase = self._phase(columns, 1)
        return for_each_colour(ops.cos(phase), ops.sin(phase))

    @property
    def column_colours(self) -> np.ndarray:
        """As `Basis.column_colours`."""
        return self.colours

    def _phase(self, axis: Neighbour, i: int):
        # In offsets an LR pixel is 2 wide.
        return (axis.offset / 2) * self.frequencies[i]

    def _fade(self, rows: Neighbour):
        squared = ops.sum(ops.square(self.frequencies), axis=0)
        return ops.exp(-(squared * self.diffusivity) * ops.square(rows.cell / 2))
