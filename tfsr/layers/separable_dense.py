"""A dense layer on quantities that belong to one axis each."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.layers.linear_layers import fan_in_uniform


@keras.saving.register_keras_serializable("tfsr")
class SeparableDense(keras.layers.Layer):
    """rows @ row_kernel + columns @ column_kernel: a dense layer on [rows, columns] together.

    On a grid the rows' values have shape (H, 1, n) and the columns' (W, n); the products are taken
    per axis, O(H + W), and only their sum is a full (H, W, units). For scattered points both have
    the points' own shape and it is an ordinary dense layer.

    It computes in float32 whatever the dtype policy: its inputs are coordinates.

    Args:
        units: int. Width of the output.
        fan_in: int. Width of the whole input that these values are a part of: it sets the range
            from which the kernels start. Defaults to both axes' own width.
        use_bias: bool. Defaults to False: mostly the features' part of the layer has it already.
    """

    def __init__(
        self, units: int, fan_in: int | None = None, use_bias: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.units = units
        self.fan_in = fan_in
        self.use_bias = use_bias

    @staticmethod
    def values(*parts):
        """Quantities of an axis, each (..., n), as one.

        Named as positions: an exporter keeps in float32 what is computed of them.
        """
        with keras.name_scope("position"):
            return ops.concatenate(parts, axis=-1)

    def build(self, input_shape) -> None:
        """Create both kernels for (..., n), the shape of either axis's values."""
        width = input_shape[-1]
        self.row_kernel = self._weight("row_kernel", (width, self.units), width)
        self.column_kernel = self._weight("column_kernel", (width, self.units), width)
        if self.use_bias:
            self.bias = self._weight("bias", (self.units,), width)

    def call(self, rows, columns):
        """The two axes' terms, to be added to something of the full shape: (..., units) each."""
        return self.row_term(rows), self.column_term(columns)

    def row_term(self, rows):
        """(..., n) to (..., units): the rows' share, and the bias."""
        with keras.name_scope(self.name):
            term = ops.matmul(rows, self.row_kernel)
            return term + self.bias if self.use_bias else term

    def column_term(self, columns):
        """(..., n) to (..., units): the columns' share."""
        with keras.name_scope(self.name):
            return ops.matmul(columns, self.column_kernel)

    def _weight(self, name: str, shape: tuple[int, ...], width: int):
        start = fan_in_uniform(self.fan_in or 2 * width)
        return self.add_weight(name=name, shape=shape, initializer=start, autocast=False)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "fan_in": self.fan_in,
            "use_bias": self.use_bias,
        }
