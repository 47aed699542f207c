"""A perceptron whose every hidden layer sees the input again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.layers.linear_layers import Linear
from tfsr.layers.mlp import hidden_widths


@keras.saving.register_keras_serializable("tfsr")
class SkipMLP(keras.layers.Layer):
    """ReLU layers on [the layer before, the input], and a linear output (IPE-LIIF's decoder).

    The input's share of every layer, bias included, is linear in the input, so the decoder has
    computed it already: this layer is given the shares.

    Args:
        hidden: sequence of int. Widths of the hidden layers.
        inputs: int. Width of the input whose shares are given; it sets the range from which the
            kernels start.
        outputs: int. Width of the output. Defaults to 3.

    Input: one (..., width) share for each hidden layer. Output shape: (..., outputs).

    Reference:
        IPE-LIIF (Liu, Guo, Zhang, arXiv 2112.05756), section 4.
    """

    def __init__(self, hidden: Sequence[int], inputs: int, outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.inputs = inputs
        self.outputs = outputs
        policy = self.dtype_policy
        self.dense = [
            Linear(width, before + inputs, use_bias=False, dtype=policy, name=f"dense_{i}")
            for i, (before, width) in enumerate(
                zip(self.hidden, self.hidden[1:], strict=False), start=1
            )
        ]
        self.output_layer = Linear(outputs, dtype=policy, name="output")

    def build(self, input_shape=None) -> None:
        """Build every layer."""
        for width, layer in zip(self.hidden, [*self.dense, self.output_layer], strict=True):
            layer.build((None, width))

    def call(self, shares):
        """A list of (..., width) to (..., outputs)."""
        x = ops.relu(shares[0])
        for layer, share in zip(self.dense, shares[1:], strict=True):
            x = ops.relu(layer(x) + share)
        return self.output_layer(x)

    def compute_output_shape(self, input_shape):
        """(..., outputs)."""
        return (*input_shape[0][:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "hidden": list(self.hidden),
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
