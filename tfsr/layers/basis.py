"""The contract of linear decoders' bases: functions of the position inside an LR pixel."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.geometry import Neighbour


class Basis(keras.layers.Layer):
    """Functions by which the coefficients of an LR pixel are multiplied and summed to a colour.

    A coefficient belongs to one colour and one function; `colours` says to which colour. Everything
    is computed in float32, whatever the dtype policy: the arguments are coordinates.

    A basis whose functions separate into a row's and a column's (sums of products) also defines
    `contract_rows`, `column_values` and `column_colours`. On a grid the first is then computed once
    per output row and LR column, and no function is evaluated per output pixel.
    """

    separable = False
    """Whether `contract_rows`, `column_values` and `column_colours` are defined."""

    parts = 1
    """Partial sums are in the order part, colour, function: the number of parts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    @property
    def colours(self) -> np.ndarray:
        """(coefficients, 3) float32: 1 where a coefficient belongs to a colour, 0 elsewhere."""
        raise NotImplementedError(f"{type(self).__name__} must define colours")

    @property
    def coefficients(self) -> int:
        """Number of coefficients of an LR pixel, of all three colours."""
        return len(self.colours)

    def values(self, rows: Neighbour, columns: Neighbour):
        """What each coefficient is multiplied by, (..., coefficients) float32.

        Args:
            rows: the geometry of a neighbour on the row axis, each value (..., 1).
            columns: the same on the column axis; the two broadcast.
        """
        raise NotImplementedError(f"{type(self).__name__} must define values")

    def contract_rows(self, coefficients, rows: Neighbour):
        """Coefficients (..., coefficients) at a row's offset: (..., partial sums) float32."""
        raise NotImplementedError(f"{type(self).__name__} does not separate")

    def column_values(self, columns: Neighbour):
        """What each partial sum is multiplied by, (..., partial sums) float32."""
        raise NotImplementedError(f"{type(self).__name__} does not separate")

    @property
    def column_colours(self) -> np.ndarray:
        """(partial sums, 3) float32: to which colour each of them belongs."""
        raise NotImplementedError(f"{type(self).__name__} does not separate")


def weighted_sum(coefficients, values, colours: np.ndarray):
    """Sum of products by colour, (..., n) and (..., n) to (..., 3) float32.

    The sum is a product with `colours`, of zeros and ones: faster than a reduction over few values.
    """
    products = ops.cast(coefficients, "float32") * values
    summed = ops.matmul(ops.reshape(products, (-1, products.shape[-1])), colours)
    return ops.reshape(summed, (*ops.shape(products)[:-1], colours.shape[-1]))


def by_colour(functions: int, parts: int = 1) -> np.ndarray:
    """The `colours` of coefficients in the order part, colour, function."""
    one = np.repeat(np.eye(3, dtype=np.float32), functions, axis=0)
    return np.tile(one, (parts, 1))


def for_each_colour(values):
    """(..., n) repeated for three colours, (..., 3 n)."""
    return ops.concatenate([values] * 3, axis=-1)
