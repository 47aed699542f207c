"""ARASFSR's three ideas where an image has few pixels: before the upscaling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.layer_cost import LayerCost
from tfsr.decoders.linear import LinearDecoder
from tfsr.errors import check_choice
from tfsr.geometry import centres
from tfsr.layers import (
    AxisModulation,
    Convolution,
    FourierBasis,
    HeatBasis,
    LocalFrequencyEstimation,
    hidden_widths,
)

BASES = ("heat", "fourier")
ACTIVATIONS = ("relu", "gelu", "silu")


@keras.saving.register_keras_serializable("tfsr")
class ARASFSRLinear(LinearDecoder):
    """ARASFSR's ideas in a latent network per LR pixel, and a linear decoder.

    From the paper: a frequency token for each LR pixel, a branch of sines of global coordinates
    that multiplies every layer, the local ensemble, and the bilinearly interpolated input. There,
    a perceptron runs for every neighbour of every output pixel. Ours: the layers run once for each
    LR pixel, on its own coordinates, and return coefficients of a basis (see `LinearDecoder`). The
    modulation of a layer is a product of a function of the row and a function of the column,
    1 + sin of a dense layer of the positional encoding each: O(h + w) numbers. Convolutions are
    3x3, then 1x1.

    Args:
        hidden: widths of the latent network.
        basis: "heat" (`HeatBasis`) or "fourier" (`FourierBasis`).
        functions: waves of the heat basis, or terms of an axis of the Fourier series.
        max_frequency: of the heat basis, in radians per LR pixel.
        activation: "relu", "gelu" or "silu".
        bandwidth: octaves of the coordinates' positional encoding.
        tokens: channels of the frequency token.
        frequency_features: channels inside the frequency estimation.
        frequency_blocks: residual blocks on each of its sides.
        local_ensemble: False: the nearest LR pixel alone.
        frequency: False: no frequency tokens.
        global_coordinates: False: no modulation.
        skip: "bilinear", "nearest" or "none".
        noise: whether training samples the frequency latent.
        kl_weight: weight of the latent's Kullback-Leibler term.
        seed: seed of the noise.

    Raises:
        InvalidArgument: for impossible widths, or another basis, activation or skip.

    Reference:
        Tsai, Chen, Shuai, Huang, ARASFSR, arXiv 2511.16341, section 3; Becker et al., Thera, arXiv
        2311.17643, for the heat basis. The combination is ours.

    Example:
        >>> model = tfsr.ImplicitSR("span", {"name": "arasfsr-linear", "hidden": [64, 64]})
        >>> model.decoder.basis_layer.coefficients
        192
    """

    def __init__(
        self,
        hidden: Sequence[int] = (96, 96),
        basis: str = "heat",
        functions: int = 32,
        max_frequency: float = 4 * math.pi,
        activation: str = "relu",
        bandwidth: int = 6,
        tokens: int = 8,
        frequency_features: int = 24,
        frequency_blocks: int = 2,
        local_ensemble: bool = True,
        frequency: bool = True,
        global_coordinates: bool = True,
        skip: str = "bilinear",
        noise: bool = False,
        kl_weight: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_choice("basis", basis, BASES)
        check_choice("activation", activation, ACTIVATIONS)
        functions_of_basis = (
            HeatBasis(functions, max_frequency, name="basis")
            if basis == "heat"
            else FourierBasis(functions, name="basis")
        )
        super().__init__(functions_of_basis, local_ensemble=local_ensemble, skip=skip, **kwargs)
        self.hidden = hidden_widths(hidden)
        self.basis = basis
        self.functions = functions
        self.max_frequency = max_frequency
        self.activation = activation
        self.bandwidth = bandwidth
        self.tokens = tokens
        self.frequency_features = frequency_features
        self.frequency_blocks = frequency_blocks
        self.frequency = frequency
        self.global_coordinates = global_coordinates
        self.noise = noise
        self.kl_weight = kl_weight
        self.seed = seed
        self.latent_coordinates = global_coordinates
        self._make_layers()

    def _make_layers(self) -> None:
        policy = self.dtype_policy
        if self.frequency:
            self.frequency_estimation = LocalFrequencyEstimation(
                self.tokens,
                self.frequency_features,
                self.frequency_blocks,
                noise=self.noise,
                kl_weight=self.kl_weight,
                seed=self.seed,
                dtype=policy,
                name="frequency_estimation",
            )
            self.latent_halo = self.frequency_estimation.halo
        self.network = [
            Convolution(
                width, 1 if i else 3, activation=self.activation, dtype=policy, name=f"conv_{i}"
            )
            for i, width in enumerate(self.hidden)
        ]
        if self.global_coordinates:
            self.modulations = [
                AxisModulation(width, self.bandwidth, name=f"modulation_{i}")
                for i, width in enumerate(self.hidden)
            ]
        # Without a bias: at the image's edges a tail would need a map of it.
        self.projection = Convolution(
            self.basis_layer.coefficients, 1, use_bias=False, dtype=policy, name="projection"
        )

    def build(self, input_shape) -> None:
        """Build every layer for encoder features of (batch, h, w, channels)."""
        lead, channels = tuple(input_shape[:-1]), input_shape[-1]
        if self.frequency:
            self.frequency_estimation.build((*lead, 3))
            channels += self.tokens
        for layer, width in zip(self.network, self.hidden, strict=True):
            layer.build((*lead, channels))
            channels = width
        for layer in self.modulations if self.global_coordinates else ():
            layer.build(None)
        self.basis_layer.build(None)
        self.projection.build((*lead, channels))

    def latent(
        self,
        features,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ):
        """As `Decoder.latent`: the last layer of the latent network."""
        x = ops.cast(features, self.compute_dtype)
        if self.frequency:
            tokens = self.frequency_estimation(image, training=training, sample=sample)
            x = ops.concatenate([x, ops.cast(tokens, x.dtype)], axis=-1)
        if coordinates is None:
            height, width = ops.shape(image)[1:3]
            coordinates = _centres(height), _centres(width)
        rows, columns = coordinates
        for i, layer in enumerate(self.network):
            x = layer(x)
            if self.global_coordinates:
                for factor in self.modulations[i](rows, columns):
                    x = x * ops.cast(factor, x.dtype)
        return x

    @property
    def last_layer(self) -> Convolution:
        """As `LinearDecoder.last_layer`."""
        return self.projection

    def coefficients(self, features):
        """As `LinearDecoder.coefficients`: one linear layer of the latent."""
        return self.projection(features)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        estimation = (self.frequency_estimation,) if self.frequency else ()
        return [LayerCost((*estimation, *self.network), "pixel", "pixel")]


def _centres(length: Any):
    """Coordinates of all pixels of an axis, of a number or a tensor of them."""
    return centres(ops.arange(length, dtype="float32"), ops.cast(length, "float32"))
