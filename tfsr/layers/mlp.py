"""The perceptrons that turn a feature and a position into a colour.

All receive their first layer already projected: it is linear in the features, so that part of it is
a convolution on the LR grid, which the decoder runs once per LR pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.layers.configured_layer import ConfiguredLayer
from tfsr.layers.linear_layers import Linear, ModulatedLinear


def hidden_widths(hidden: Sequence[int], argument: str = "hidden") -> tuple[int, ...]:
    """The widths as a tuple.

    Raises:
        InvalidArgument: if there is none, or one is not positive.
    """
    widths = tuple(hidden)
    if not widths or min(widths) < 1:
        raise InvalidArgument(
            f"must be one or more positive widths; received {list(widths)}", argument=argument
        )
    return widths


@keras.saving.register_keras_serializable("tfsr")
class MLP(ConfiguredLayer):
    """ReLU layers after a projected first one, and a linear output (LIIF's decoder).

    Args:
        hidden: sequence of int. Widths of the hidden layers, the projected first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]), the first layer before its ReLU. Output shape: (..., outputs).

    Example:
        >>> tfsr.layers.MLP((16, 8))(np.zeros((2, 5, 16), "float32")).shape
        TensorShape([2, 5, 3])
    """

    def __init__(self, hidden: Sequence[int], outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.outputs = outputs
        self.dense = [
            self.hidden_layer(width, name=f"dense_{i}", dtype=self.dtype_policy)
            for i, width in enumerate(self.hidden[1:], start=1)
        ]
        self.output_layer = Linear(outputs, dtype=self.dtype_policy, name="output")

    def hidden_layer(self, width: int, **kwargs: Any) -> Linear:
        """A layer after the first."""
        return Linear(width, activation="relu", **kwargs)

    def build(self, input_shape=None) -> None:
        """Build every layer."""
        for width, layer in zip(self.hidden, [*self.dense, self.output_layer], strict=True):
            layer.build((None, width))

    def call(self, projected):
        """(..., hidden[0]) to (..., outputs)."""
        x = ops.relu(projected)
        for layer in self.dense:
            x = layer(x)
        return self.output_layer(x)


@keras.saving.register_keras_serializable("tfsr")
class SkipMLP(MLP):
    """ReLU layers on [the previous layer, the input], and a linear output (IPE-LIIF's decoder).

    The input's term of every layer, bias included, is linear in the input, so the decoder computes
    it: this layer receives the terms.

    Args:
        hidden: sequence of int. Widths of the hidden layers.
        inputs: int. Width of that input, which sets the range of the initial kernels.
        outputs: int. Width of the output. Defaults to 3.

    Input: a list of one (..., width) term per hidden layer. Output shape: (..., outputs).

    Reference:
        IPE-LIIF (Liu, Guo, Zhang, arXiv 2112.05756), section 4.

    Example:
        >>> terms = [np.zeros((2, width), "float32") for width in (16, 8)]
        >>> tfsr.layers.SkipMLP((16, 8), inputs=30)(terms).shape
        TensorShape([2, 3])
    """

    def __init__(self, hidden: Sequence[int], inputs: int, outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(hidden, outputs, **kwargs)
        self.inputs = inputs
        for width, layer in zip(self.hidden, self.dense, strict=False):
            layer.fan_in = width + inputs

    def hidden_layer(self, width: int, **kwargs: Any) -> Linear:
        """A layer after the first."""
        return Linear(width, use_bias=False, **kwargs)

    def call(self, terms):
        """A list of (..., width) to (..., outputs)."""
        x = ops.relu(terms[0])
        for layer, term in zip(self.dense, terms[1:], strict=True):
            x = ops.relu(layer(x) + term)
        return self.output_layer(x)


@keras.saving.register_keras_serializable("tfsr")
class LatentModulatedMLP(MLP):
    """`ModulatedLinear` layers with ReLU after a given first one, and a linear output (LMF).

    A wide network that runs once per LR pixel predicts the scales and shifts, so that the network
    that runs per query can be narrow.

    Args:
        hidden: sequence of int. Widths of the hidden layers, the given first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]), the first layer, modulated, before its ReLU; and the result of
    `modulation` for the others. Output shape: (..., outputs).

    Reference:
        He, Jin, CVPR 2024 (arXiv 2404.16451), section 3.2.

    Example:
        >>> mlp = tfsr.layers.LatentModulatedMLP((16, 16))
        >>> mlp.build()
        >>> first = scale = shift = np.zeros((2, 16), "float32")
        >>> mlp(first, mlp.modulation([scale], [shift])).shape
        TensorShape([2, 3])
    """

    def hidden_layer(self, width: int, **kwargs: Any) -> Linear:
        """A layer after the first."""
        return ModulatedLinear(width, **kwargs)

    def modulation(self, scales: Sequence[Any], shifts: Sequence[Any]) -> list[Any]:
        """Factor and offset of each layer after the first, one after the other.

        Args:
            scales: one (..., width) tensor for each layer after the first.
            shifts: the same.
        """
        triples = zip(self.dense, scales, shifts, strict=True)
        return [value for layer, *pair in triples for value in layer.fold(*pair)]

    def call(self, first, modulation):  # type: ignore[override]
        """(..., hidden[0]), and the result of `modulation`, to (..., outputs)."""
        x = ops.relu(first)
        for i, layer in enumerate(self.dense):
            x = ops.relu(layer(x, *modulation[2 * i : 2 * i + 2]))
        return self.output_layer(x)


def split_modulation(values, hidden: Sequence[int]) -> tuple[list[Any], list[Any], Any]:
    """Split a latent network's output into scales, shifts and the remaining channels.

    Args:
        values: (..., 2 sum(hidden) + n): the scales of all layers, their shifts, and n others.
        hidden: the layers' widths.

    Returns:
        The scales and the shifts, one (..., width) tensor per layer each, and (..., n).
    """
    ends = [sum(hidden[: i + 1]) for i in range(len(hidden))]
    parts = ops.split(values, [*ends, *(ends[-1] + end for end in ends)], axis=-1)
    return parts[: len(hidden)], parts[len(hidden) : -1], parts[-1]


@keras.saving.register_keras_serializable("tfsr")
class ModulatedMLP(ConfiguredLayer):
    """A content branch whose every layer is multiplied by a branch of sines (ARASFSR).

    f_0 = relu(projected), m_0 = f_0 c_0; f_i = relu(I_i [f_(i-1), m_(i-1)]), m_i = f_i c_i; the
    output is linear in the last m. The modulation c_0 = sin(C_0 x), c_i = sin(C_i c_(i-1)) depends
    on the query's position alone: `modulation` computes it once for all neighbours.

    Args:
        hidden: sequence of int. Widths of the layers, the projected first one included.
        outputs: int. Width of the output. Defaults to 3.

    Input shape: (..., hidden[0]) for both arguments of `call` and of `modulation`: each branch's
    first layer before its activation. Output shape: (..., outputs).

    Reference:
        ARASFSR (arXiv 2511.16341), supplement; the modulation is Mehta et al., ICCV 2021.

    Example:
        >>> mlp = tfsr.layers.ModulatedMLP((16, 8))
        >>> mlp.build()
        >>> content = position = np.zeros((2, 16), "float32")
        >>> mlp(content, mlp.modulation(position)).shape
        TensorShape([2, 3])
    """

    def __init__(self, hidden: Sequence[int], outputs: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden_widths(hidden)
        self.outputs = outputs
        policy, widths = self.dtype_policy, list(enumerate(self.hidden[1:], start=1))
        self.content = [
            Linear(width, activation="relu", dtype=policy, name=f"content_{i}")
            for i, width in widths
        ]
        # The arguments of sines grow with depth: they stay float32 whatever the policy.
        self.coordinate = [Linear(w, dtype="float32", name=f"coordinate_{i}") for i, w in widths]
        self.output_layer = Linear(outputs, dtype=policy, name="output")

    def build(self, input_shape=None) -> None:
        """Build every layer."""
        for width, content, wave in zip(self.hidden, self.content, self.coordinate, strict=False):
            content.build((None, 2 * width))
            wave.build((None, width))
        self.output_layer.build((None, self.hidden[-1]))

    def modulation(self, projected):
        """The branch of sines, one (..., width) tensor per layer, in the compute dtype."""
        waves = [ops.sin(projected)]
        for layer in self.coordinate:
            waves.append(ops.sin(layer(waves[-1])))
        return [ops.cast(wave, self.compute_dtype) for wave in waves]

    def call(self, projected, modulation):
        """(..., hidden[0]), and the result of `modulation`, to (..., outputs)."""
        f = ops.relu(projected)
        m = f * modulation[0]
        for layer, wave in zip(self.content, modulation[1:], strict=True):
            f = layer.call_concat([f, m])
            m = f * wave
        return self.output_layer(m)
