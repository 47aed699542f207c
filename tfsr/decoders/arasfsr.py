"""ARASFSR: face super-resolution at arbitrary resolution and scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.geometry import Axis, Neighbour, last_axis
from tfsr.layers import (
    MLP,
    Convolution,
    LocalFrequencyEstimation,
    ModulatedMLP,
    PositionalEncoding,
    SeparableDense,
    hidden_widths,
)


@keras.saving.register_keras_serializable("tfsr")
class ARASFSR(Decoder):
    """ARASFSR: LIIF's local perceptron, with frequency tokens and global coordinates.

    Three things are added to LIIF, and each can be left out (the paper's ablations): a token per
    LR pixel from `LocalFrequencyEstimation`, a branch of sines of the query's own coordinate that
    multiplies every layer, and the bilinearly interpolated input.

    Args:
        hidden: widths of both branches.
        bandwidth: octaves of the coordinate's positional encoding.
        tokens: channels of the frequency token.
        frequency_features: channels inside the frequency estimation.
        frequency_blocks: residual blocks on each of its sides.
        local_ensemble: False: the nearest LR pixel alone.
        frequency: False: no frequency tokens.
        global_coordinates: False: neither the coordinate branch nor the neighbour's own
            coordinate, but a plain perceptron.
        skip: False: no interpolated input.
        noise: whether training samples the frequency latent, as published.
        kl_weight: weight of the latent's Kullback-Leibler term; 0 as published.
        seed: seed of the noise.

    Reference:
        Tsai, Chen, Shuai, Huang, arXiv 2511.16341, section 3 and its supplement.

    Example:
        >>> decoder = tfsr.decoders.ARASFSR(hidden=[64, 64], frequency=False)
        >>> tfsr.ImplicitSR("edsr-baseline", decoder).decoder.query_width
        64
    """

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256, 256, 256),
        bandwidth: int = 10,
        tokens: int = 8,
        frequency_features: int = 64,
        frequency_blocks: int = 4,
        local_ensemble: bool = True,
        frequency: bool = True,
        global_coordinates: bool = True,
        skip: bool = True,
        noise: bool = True,
        kl_weight: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=skip, **kwargs)
        self.skip = skip
        self.hidden = hidden_widths(hidden)
        self.bandwidth = bandwidth
        self.tokens = tokens
        self.frequency_features = frequency_features
        self.frequency_blocks = frequency_blocks
        self.frequency = frequency
        self.global_coordinates = global_coordinates
        self.noise = noise
        self.kl_weight = kl_weight
        self.seed = seed
        self.query_width = max(self.hidden)

        policy = self.dtype_policy
        if frequency:
            self.frequency_estimation = LocalFrequencyEstimation(
                tokens,
                frequency_features,
                frequency_blocks,
                noise=noise,
                kl_weight=kl_weight,
                seed=seed,
                dtype=policy,
                name="frequency_estimation",
            )
            self.latent_halo = self.frequency_estimation.halo
        self.projection = Convolution(self.hidden[0], dtype=policy, name="projection")
        if global_coordinates:
            self.encoding = PositionalEncoding(bandwidth, name="encoding")
            self.coordinate = SeparableDense(self.hidden[0], use_bias=True, name="coordinate")
            self.mlp = ModulatedMLP(self.hidden, dtype=policy, name="mlp")
        else:
            self.mlp = MLP(self.hidden, dtype=policy, name="mlp")

    def build(self, input_shape) -> None:
        """Build every layer for encoder features of (batch, h, w, channels)."""
        channels = input_shape[-1]
        if self.frequency:
            self.frequency_estimation.build((*input_shape[:-1], 3))
            channels += self.tokens
        position = 3 if self.global_coordinates else 2
        self.position = SeparableDense(self.hidden[0], 9 * channels + 2 * position, name="position")
        self.position.build((None, position))
        self.projection.build((*input_shape[:-1], channels))
        if self.global_coordinates:
            self.coordinate.build((None, self.encoding.channels))
        self.mlp.build((None, self.hidden[0]))

    def latent(
        self,
        features,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ):
        """As `Decoder.latent`: the encoder's, and frequency tokens."""
        if self.frequency:
            tokens = self.frequency_estimation(image, training=training, sample=sample)
            features = ops.concatenate([features, tokens], axis=-1)
        return features

    def project(self, features):
        """The first content layer's share of features and tokens, its bias included."""
        return self.projection(features)

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """The coordinate branch: the same for all neighbours, and for all images of one size."""
        if not self.global_coordinates:
            return None
        row_term, column_term = self.coordinate(
            self.encoding(last_axis(rows.coordinates)),
            self.encoding(last_axis(columns.coordinates)),
        )
        return self.mlp.modulation(row_term + column_term)

    def add_row_terms(self, features, rows: Neighbour):
        """The first content layer's share of the row added."""
        return features + ops.cast(self.position.row_term(self._position(rows)), features.dtype)

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """The first content layer's share of the column, and the layers after it."""
        column_term = self.position.column_term(self._position(columns))
        x = features + ops.cast(column_term, features.dtype)
        return self.mlp(x, modulation) if self.global_coordinates else self.mlp(x)

    def _position(self, axis: Neighbour):
        values = [axis.offset, axis.cell]
        if self.global_coordinates:
            values.insert(1, axis.coordinate)
        return SeparableDense.values(*values)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        costs = [
            LayerCost((self.projection,), "pixel", "neighbour"),
            *separable_costs(self.position),
        ]
        if self.frequency:
            costs.append(LayerCost((self.frequency_estimation,), "pixel", "pixel"))
        if not self.global_coordinates:
            return [*costs, LayerCost((self.mlp,), "neighbour", "neighbour")]
        content = (*self.mlp.content, self.mlp.output_layer)
        return [
            *costs,
            *separable_costs(self.coordinate),
            LayerCost(tuple(self.mlp.coordinate), "query", "neighbour"),
            LayerCost(content, "neighbour", "neighbour"),
        ]
