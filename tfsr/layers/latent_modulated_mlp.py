"""The narrow perceptron of LMF, modulated layer by layer with values of the LR pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.layers.linear_layers import Linear
from tfsr.layers.mlp import hidden_widths
from tfsr.layers.modulated_linear import ModulatedLinear


@keras.saving.register_keras_serializable("tfsr")
class LatentModulatedMLP(keras.layers.Layer):
    """`ModulatedLinear` layers with ReLU after a given first one, and a linear output (LMF).

    A wide network that runs once for each LR pixel predicts the scales and shifts, so that the
    network that runs for each query can be narrow.

    Args:
        hidden: sequence of int. Widths of the hidden layers, the given first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]), the first layer, modulated, before its ReLU; and what
    `modulation` returns for the others. Output shape: (..., outputs).

    Raises:
        InvalidArgument: if there is no hidden layer, or a width is not positive.

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), section 3.2.

    Example:
        >>> mlp = tfsr.layers.LatentModulatedMLP((16, 16, 16))
        >>> colours = mlp(first, mlp.modulation(scales[1:], shifts[1:]))
    """

    def __init__(self, hidden: Sequence[int], outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.outputs = outputs
        policy = self.dtype_policy
        self.dense = [
            ModulatedLinear(width, dtype=policy, name=f"dense_{i}")
            for i, width in enumerate(self.hidden[1:], start=1)
        ]
        self.output_layer = Linear(outputs, dtype=policy, name="output")

    def build(self, input_shape) -> None:
        """Build every layer for (..., hidden[0])."""
        for width, layer in zip(self.hidden, [*self.dense, self.output_layer], strict=True):
            layer.build((None, width))

    def modulation(self, scales: Sequence[Any], shifts: Sequence[Any]) -> list[Any]:
        """Factor and offset of each layer after the first, one after the other.

        Args:
            scales: one (..., width) tensor for each layer after the first.
            shifts: the same.
        """
        triples = zip(self.dense, scales, shifts, strict=True)
        return [value for layer, *pair in triples for value in layer.fold(*pair)]

    def call(self, first, modulation):
        """(..., hidden[0]) and what `modulation` returned to (..., outputs)."""
        x = ops.relu(first)
        for layer, factor, offset in zip(
            self.dense, modulation[0::2], modulation[1::2], strict=True
        ):
            x = ops.relu(layer(x, factor, offset))
        return self.output_layer(x)

    def compute_output_shape(self, input_shape, modulation_shape=None):
        """(..., outputs)."""
        return (*input_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": list(self.hidden), "outputs": self.outputs}


def split_modulation(values, hidden: Sequence[int]) -> tuple[list[Any], list[Any], Any]:
    """Scales, shifts, and the remaining channels of what a latent network predicts.

    Args:
        values: (..., 2 sum(hidden) + n): the scales of all layers, their shifts, and n others.
        hidden: the layers' widths.

    Returns:
        The scales and the shifts, a list of one (..., width) tensor a layer each, and (..., n).
    """
    ends = [sum(hidden[: i + 1]) for i in range(len(hidden))]
    scales_and_shifts = [*ends, *(ends[-1] + end for end in ends)]
    parts = ops.split(values, scales_and_shifts, axis=-1)
    return parts[: len(hidden)], parts[len(hidden) : -1], parts[-1]
