"""A truncated Fourier series on each axis, and the products of the two."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry import Neighbour
from tfsr.layers.basis import Basis, by_colour, for_each_colour, weighted_sum


@keras.saving.register_keras_serializable("tfsr")
class FourierBasis(Basis):
    """Products u_i(row) u_j(column) of 1, cos(w x), sin(w x), cos(2 w x), sin(2 w x) and so on.

    x is the offset, an LR pixel being 2 wide. An even number of terms ends with a cosine.
    Coefficients are in the order colour, row term, column term.

    Args:
        terms: int. Terms per axis. Defaults to 7.
        frequency: float. w, in radians per half LR pixel. Defaults to pi / 2.
        orthonormal: bool. Whether sines and cosines have a factor of sqrt(2). Defaults to True.
        trainable_frequency: bool. Whether w is trained, as `frequency` times the softplus of a
            weight, initially 1. Defaults to False.

    Raises:
        InvalidArgument: if `terms` or `frequency` is not positive.

    Reference:
        Song et al., OPE-SR, CVPR 2023, section 3.2 (7 terms, w = pi / 2, orthonormal); GB-LSR,
        arXiv 2606.19617 (16 terms, w = pi times a trained bandwidth).

    Example:
        >>> tfsr.layers.FourierBasis(terms=3).coefficients
        27
    """

    separable = True

    def __init__(
        self,
        terms: int = 7,
        frequency: float = math.pi / 2,
        orthonormal: bool = True,
        trainable_frequency: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if terms < 1:
            raise InvalidArgument(f"must be at least 1; received {terms}", argument="terms")
        if not 0 < frequency < math.inf:
            raise InvalidArgument(f"must be above 0; received {frequency}", argument="frequency")
        self.terms = terms
        self.frequency = frequency
        self.orthonormal = orthonormal
        self.trainable_frequency = trainable_frequency
        # Of each term: its multiple of the frequency, and whether it is a sine.
        number = np.arange(terms)
        self._multiples = ((number + 1) // 2).astype(np.float32)
        self._sine = ((number > 0) & (number % 2 == 0)).astype(np.float32)

    def build(self, input_shape=None) -> None:
        """Create the bandwidth, if it is trained."""
        if self.trainable_frequency:
            start = keras.initializers.Constant(math.log(math.expm1(1.0)))
            self.bandwidth = self.add_weight(
                name="bandwidth", shape=(), initializer=start, autocast=False
            )
        self.built = True

    @property
    def colours(self) -> np.ndarray:
        """As `Basis.colours`."""
        return by_colour(self.terms**2)

    def values(self, rows: Neighbour, columns: Neighbour):
        """As `Basis.values`."""
        row, column = self._terms(rows), self._terms(columns)
        products = [row[..., i : i + 1] * column for i in range(self.terms)]
        return for_each_colour(ops.concatenate(products, axis=-1))

    def contract_rows(self, coefficients, rows: Neighbour):
        """As `Basis.contract_rows`: a sum for each colour and column term."""
        values = for_each_colour(ops.repeat(self._terms(rows), self.terms, axis=-1))
        row_sums = np.tile(np.eye(self.terms, dtype=np.float32), (self.terms, 1))
        return weighted_sum(coefficients, values, np.kron(np.eye(3, dtype=np.float32), row_sums))

    def column_values(self, columns: Neighbour):
        """As `Basis.column_values`."""
        return for_each_colour(self._terms(columns))

    @property
    def column_colours(self) -> np.ndarray:
        """As `Basis.column_colours`."""
        return by_colour(self.terms)

    def _terms(self, axis: Neighbour):
        """The terms of an axis, (..., terms)."""
        frequency = self.frequency
        if self.trainable_frequency:
            frequency = frequency * ops.softplus(self.bandwidth)
        phase = (axis.offset * self._multiples) * frequency
        waves = ops.sin(phase) * self._sine + ops.cos(phase) * (1 - self._sine)
        if not self.orthonormal:
            return waves
        return waves * np.where(self._multiples > 0, math.sqrt(2), 1).astype(np.float32)
