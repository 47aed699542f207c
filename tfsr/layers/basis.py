"""The contract of linear decoders' bases: functions of the position inside an LR pixel."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from keras import ops

from tfsr.geometry import Neighbour
from tfsr.layers.configured_layer import ConfiguredLayer


class Basis(ConfiguredLayer):
    """Functions that multiply the coefficients of an LR pixel; the sum is a colour.

    Each coefficient belongs to one colour and one function; `colours` says to which colour.
    Everything is computed in float32, whatever the dtype policy: the arguments are coordinates.

    A basis whose functions are sums of products of a row's and a column's function also defines
    `contract_rows`, `column_values` and `column_colours`. On a grid the first is then computed once
    per output row and LR column, and no function is evaluated per output pixel.

    Example:
        >>> isinstance(tfsr.layers.FourierBasis(), tfsr.layers.Basis)
        True
    """

    separable = False
    """Whether `contract_rows`, `column_values` and `column_colours` are defined."""

    parts = 1
    """The number of parts; partial sums are in the order part, colour, function."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    @property
    @abstractmethod
    def colours(self) -> np.ndarray:
        """(coefficients, 3) float32: 1 where a coefficient belongs to a colour, 0 elsewhere."""

    @property
    def coefficients(self) -> int:
        """Number of coefficients of an LR pixel, of all three colours."""
        return len(self.colours)

    @abstractmethod
    def values(self, rows: Neighbour, columns: Neighbour) -> Any:
        """The factor of each coefficient, (..., coefficients) float32.

        Args:
            rows: the geometry of a neighbour on the row axis, each value (..., 1).
            columns: the same on the column axis; the two broadcast.
        """

    def contract_rows(self, coefficients, rows: Neighbour) -> Any:
        """Coefficients (..., coefficients) at a row's offset: (..., partial sums) float32."""

    def column_values(self, columns: Neighbour) -> Any:
        """The factor of each partial sum, (..., partial sums) float32."""

    @property
    def column_colours(self) -> np.ndarray:  # type: ignore[empty-body]
        """(partial sums, 3) float32: the colour of each partial sum."""


def weighted_sum(coefficients, values, colours: np.ndarray):
    """Sum of products by colour, (..., n) and (..., n) to (..., 3) float32.

    `colours` may be any (n, sums) matrix of zeros and ones: a product with it is faster than a
    reduction over few values.
    """
    products = ops.cast(coefficients, "float32") * values
    summed = ops.matmul(ops.reshape(products, (-1, products.shape[-1])), colours)
    return ops.reshape(summed, (*ops.shape(products)[:-1], colours.shape[-1]))


def by_colour(functions: int, parts: int = 1) -> np.ndarray:
    """The `colours` of coefficients in the order part, colour, function."""
    return np.tile(np.repeat(np.eye(3, dtype=np.float32), functions, axis=0), (parts, 1))


def for_each_colour(*parts):
    """Each (..., n) repeated for three colours, all concatenated: (..., 3 n parts)."""
    return ops.concatenate([values for values in parts for _ in range(3)], axis=-1)
