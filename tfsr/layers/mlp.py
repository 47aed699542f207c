"""The perceptrons that turn a feature and a position into a colour.

Both take their first layer as already projected: it is linear in the features, so that part of it
is a convolution on the LR grid, run once per LR pixel by the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.layers.linear_layers import Linear


def hidden_widths(hidden: Sequence[int], name: str = "hidden") -> tuple[int, ...]:
    """The widths as a tuple.

    Args:
        hidden: the widths.
        name: of the argument, for the error.

    Raises:
        InvalidArgument: if there is none, or one is not positive.
    """
    widths = tuple(hidden)
    if not widths or min(widths) < 1:
        raise InvalidArgument(f"{name} must be one or more positive widths; got {list(widths)}")
    return widths


@keras.saving.register_keras_serializable("tfsr")
class MLP(keras.layers.Layer):
    """ReLU layers after a projected first one, and a linear output (LIIF's decoder).

    Args:
        hidden: sequence of int. Widths of the hidden layers, the projected first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]), the first layer before its ReLU. Output shape: (..., outputs).
    """

    def __init__(self, hidden: Sequence[int], outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.outputs = outputs
        self.dense = [
            Linear(width, activation="relu", dtype=self.dtype_policy, name=f"dense_{i}")
            for i, width in enumerate(self.hidden[1:], start=1)
        ]
        self.output_layer = Linear(outputs, dtype=self.dtype_policy, name="output")

    def build(self, input_shape) -> None:
        """Build every layer for (..., hidden[0])."""
        for width, layer in zip(self.hidden, [*self.dense, self.output_layer], strict=True):
            layer.build((*input_shape[:-1], width))

    def call(self, projected):
        """(..., hidden[0]) to (..., outputs)."""
        x = ops.relu(projected)
        for layer in self.dense:
            x = layer(x)
        return self.output_layer(x)

    def compute_output_shape(self, input_shape):
        """(..., outputs)."""
        return (*input_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": list(self.hidden), "outputs": self.outputs}


@keras.saving.register_keras_serializable("tfsr")
class ModulatedMLP(keras.layers.Layer):
    """A content branch whose every layer is multiplied by a branch of sines (ARASFSR).

    f_0 = relu(projected), m_0 = f_0 c_0; f_i = relu(I_i [f_(i-1), m_(i-1)]), m_i = f_i c_i; the
    answer is linear in the last m. The modulation c_0 = sin(C_0 x), c_i = sin(C_i c_(i-1)) depends
    on the query's position alone: `modulation` computes it once for all neighbours.

    Args:
        hidden: sequence of int. Widths of the layers, the projected first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]) for both arguments of `call` and of `modulation`: each branch's
    first layer before its activation. Output shape: (..., outputs).

    Reference:
        ARASFSR (arXiv 2511.16341), supplement; the modulation is Mehta et al., ICCV 2021.
    """

    def __init__(self, hidden: Sequence[int], outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.outputs = outputs
        widths = list(enumerate(self.hidden[1:], start=1))
        self.content = [
            Linear(width, activation="relu", dtype=self.dtype_policy, name=f"content_{i}")
            for i, width in widths
        ]
        # The arguments of sines grow with depth: they stay float32 whatever the policy.
        self.coordinate = [Linear(w, dtype="float32", name=f"coordinate_{i}") for i, w in widths]
        self.output_layer = Linear(outputs, dtype=self.dtype_policy, name="output")

    def build(self, input_shape) -> None:
        """Build every layer for (..., hidden[0])."""
        lead = tuple(input_shape[:-1])
        for width, content, coordinate in zip(
            self.hidden, self.content, self.coordinate, strict=False
        ):
            content.build((*lead, 2 * width))
            coordinate.build((*lead, width))
        self.output_layer.build((*lead, self.hidden[-1]))

    def modulation(self, projected):
        """The branch of sines, one (..., width) tensor a layer, in the compute dtype."""
        x = ops.sin(projected)
        waves = [x]
        for layer in self.coordinate:
            x = ops.sin(layer(x))
            waves.append(x)
        return [ops.cast(wave, self.compute_dtype) for wave in waves]

    def call(self, projected, modulation):
        """(..., hidden[0]) and what `modulation` returned to (..., outputs)."""
        f = ops.relu(projected)
        m = f * modulation[0]
        for layer, wave in zip(self.content, modulation[1:], strict=True):
            f = layer.of_parts([f, m])
            m = f * wave
        return self.output_layer(m)

    def compute_output_shape(self, input_shape, modulation_shape=None):
        """(..., outputs)."""
        return (*input_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": list(self.hidden), "outputs": self.outputs}
