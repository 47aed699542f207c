"""Local frequency estimation, ARASFSR's source of high-frequency tokens."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.layers.budget import Budgeted
from tfsr.layers.configured_layer import ConfiguredLayer
from tfsr.layers.linear_layers import Convolution
from tfsr.layers.residual_block import ResidualBlock


@keras.saving.register_keras_serializable("tfsr")
class LocalFrequencyEstimation(ConfiguredLayer):
    """A convolutional variational autoencoder that gives each LR pixel a frequency token.

    Encoder: conv, leaky ReLU 0.2, residual blocks, conv, skip, then a conv to the mean and the log
    variance of a latent per pixel. Decoder: the same layers, from a latent to a token.

    The published code samples noise at inference too, so its images never repeat. Here inference
    uses the mean; noise is sampled in training, or with `sample=True`.

    Args:
        tokens: int. Channels of the token. Defaults to 8.
        features: int. Channels inside, and of the latent. Defaults to 64.
        blocks: int. Residual blocks on each side. Defaults to 4.
        noise: bool. Whether training samples the latent around its mean, as published; False trains
            on the mean. Defaults to True.
        kl_weight: float. Weight of the Kullback-Leibler term, the mean over all latents, added to
            the loss in training. Defaults to 0, as published.
        seed: int, optional. Seed of the noise.

    Input shape: (batch, h, w, channels), in [-1, 1]. Output shape: (batch, h, w, tokens).

    Reference:
        ARASFSR (arXiv 2511.16341); its code calls this module CTM and HFVAE(3, 8).

    Example:
        >>> layer = tfsr.layers.LocalFrequencyEstimation(tokens=4, features=8, blocks=1)
        >>> layer(np.zeros((1, 5, 6, 3), "float32")).shape
        TensorShape([1, 5, 6, 4])
    """

    def __init__(
        self,
        tokens: int = 8,
        features: int = 64,
        blocks: int = 4,
        noise: bool = True,
        kl_weight: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tokens = tokens
        self.features = features
        self.blocks = blocks
        self.noise = noise
        self.kl_weight = kl_weight
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        policy = self.dtype_policy
        self.encoder = _Half(features, blocks, 2 * features, dtype=policy, name="encoder")
        self.decoder = _Half(features, blocks, tokens, dtype=policy, name="decoder")

    @property
    def halo(self) -> int:
        """How far from a pixel its token depends on the image, in pixels."""
        return 2 * (2 * self.blocks + 3)

    def build(self, input_shape) -> None:
        """Build both halves for (batch, h, w, channels)."""
        self.encoder.build(input_shape)
        self.decoder.build((*input_shape[:-1], self.features))

    def moments(self, x):
        """Mean and log variance of each pixel's latent, (batch, h, w, features) each, float32."""
        mean, log_variance = ops.split(ops.cast(self.encoder(x), "float32"), 2, axis=-1)
        return mean, log_variance

    def call(self, x, training: bool = False, sample: bool = False):
        """(batch, h, w, channels) to (batch, h, w, tokens)."""
        mean, log_variance = self.moments(x)
        latent = mean
        if sample or (training and self.noise):
            noise = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.seed_generator)
            latent = mean + noise * ops.exp(0.5 * log_variance)
        if training and self.kl_weight:
            divergence = 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)
            self.add_loss(self.kl_weight * ops.mean(divergence))
        return self.decoder(latent)


class _Half(Budgeted, keras.layers.Layer):
    """Conv, leaky ReLU, residual blocks, conv, skip over them, and a conv to the outputs."""

    def __init__(self, features: int, blocks: int, outputs: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features
        policy = self.dtype_policy
        self.conv1 = Convolution(features, dtype=policy, name="conv1")
        self.residual_blocks = [
            ResidualBlock(features, dtype=policy, name=f"block_{i}") for i in range(blocks)
        ]
        self.conv2 = Convolution(features, dtype=policy, name="conv2")
        self.conv3 = Convolution(outputs, dtype=policy, name="conv3")

    def build(self, input_shape) -> None:
        self.conv1.build(input_shape)
        inner: list[Any] = [*self.residual_blocks, self.conv2, self.conv3]
        for layer in inner:
            layer.build((*input_shape[:-1], self.features))

    def call(self, x):
        x = head = ops.leaky_relu(self.conv1(x), 0.2)
        for block in self.residual_blocks:
            x = block(x)
        return self.conv3(self.conv2(x) + head)
