"""An encoder and a coordinate decoder as one Keras model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders import DECODERS, Decoder
from tfsr.encoders import ENCODERS
from tfsr.errors import InvalidArgument
from tfsr.geometry import SamplingPlan, grid_plan, window_coordinates
from tfsr.models.arguments import check_floating, image_shape, output_size_of
from tfsr.models.implicit_renderer import ImplicitRenderer
from tfsr.models.renderer import Renderer
from tfsr.registry import check_model_config

# What `upscale` decodes a piece in, four times over: the image is encoded whole.
_UPSCALE_MEMORY = 2**30


@keras.saving.register_keras_serializable("tfsr")
class ImplicitSR(keras.Model):
    """Super-resolution at any scale: encode the LR image once, then answer any point of it.

    Images are float32 RGB in [0, 1], (batch, height, width, 3); inside, and in the published
    weights, they live in [-1, 1]. Answers are in [0, 1] and not clipped.

    Args:
        encoder: an encoder layer, its registered name, or {"name": ..., argument: value}.
        decoder: a `Decoder`, its registered name, or {"name": ..., argument: value}.

    Raises:
        InvalidArgument: for an unknown name or argument.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "arasfsr")
        >>> model.upscale(images, size=(237, 173))
    """

    def __init__(self, encoder: Any, decoder: Any, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.encoder = ENCODERS.build(encoder, dtype=self.dtype_policy)
        self.decoder: Decoder = DECODERS.build(decoder, dtype=self.dtype_policy)
        self.encoder.build((None, None, None, 3))
        self.decoder.build((None, None, None, self.encoder.channels))
        self.built = True
        self._renderer: ImplicitRenderer | None = None

    def encode(self, image, **arguments: Any):
        """Everything the decoder needs of an image, as one tensor.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            **arguments: as of `encode_parts`.

        Returns:
            (batch, h, w, channels) float32: features, frequency tokens and input channels, as far
            as the decoder has them.

        Raises:
            InvalidArgument: if the image is of integers.
        """
        return self.decoder.join(*self.encode_parts(image, **arguments))

    def encode_parts(
        self,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ) -> tuple[Any, Any]:
        """Features and normalised input, which `encode` returns as one tensor.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            coordinates: rows (..., h) and columns (..., w) of its pixels in [-1, 1], where it is
                cropped from a larger image and the decoder's `latent_coordinates` is True.
            training: whether this is a training step.
            sample: whether a stochastic decoder samples its noise (ARASFSR's frequency latent).

        Raises:
            InvalidArgument: if the image is of integers.
        """
        check_floating(image)
        # So named that an exporter keeps it in float32.
        with keras.name_scope("normalized"):
            normalised = 2.0 * ops.cast(image, "float32") - 1.0
        features = self.encoder.encode(normalised, training=training)
        features = self.decoder.latent_features(
            features, normalised, coordinates=coordinates, training=training, sample=sample
        )
        return features, normalised

    def call(self, inputs: Mapping[str, Any], training: bool = False, sample: bool = False):
        """Colours of scattered points.

        Args:
            inputs: "image" (batch, h, w, 3) in [0, 1]; "coordinates" (batch, points, 2), (row,
                column) in [-1, 1]; "cell" (batch, points, 2), the output pixel's size 2 / (H, W).
                Optionally "window" (batch, 4): where the image lies in the whole one it was cut
                from (see `geometry.points_plan`). Of a lattice instead: "rows" (batch, P) and
                "columns" (batch, Q) in [-1, 1], and "cell" (batch, 2).
            training: whether this is a training step.
            sample: as in `encode`.

        Returns:
            (batch, points, 3), or (batch, P, Q, 3) of a lattice: float32 in [0, 1], not clipped.
        """
        image, window = inputs["image"], inputs.get("window")
        coordinates = None
        if window is not None and self.decoder.latent_coordinates:
            coordinates = window_coordinates(window, ops.shape(image)[1:3])
        latent = self.encode(image, coordinates=coordinates, training=training, sample=sample)
        if "rows" in inputs:
            colours = self.decoder.lattice(
                latent, inputs["rows"], inputs["columns"], inputs["cell"], window
            )
        else:
            colours = self.decoder(latent, inputs["coordinates"], inputs["cell"], window)
        return 0.5 * colours + 0.5

    def render(self, latent, plan: SamplingPlan):
        """Draw an encoded image on a grid: the whole of it, or a window at any zoom.

        Args:
            latent: what `encode` returned.
            plan: from `plan`, or `geometry.grid_plan` with the decoder's `neighbour_mode`.

        Returns:
            (batch, rows, columns, 3) float32 in [0, 1], not clipped.

        Raises:
            InvalidArgument: if the plan is for an LR image of another size.
        """
        if tuple(latent.shape[1:3]) not in (plan.lr_size, (None, None)):
            raise InvalidArgument(
                f"the plan is for LR images of {plan.lr_size}; this one is {latent.shape[1:3]}"
            )
        projected, image = self.decoder.split(latent, plan)
        return 0.5 * self.decoder.grid(projected, image, plan) + 0.5

    def plan(
        self, lr_size: Sequence[int], size: Sequence[int], window: Sequence[int] | None = None
    ) -> SamplingPlan:
        """The sampling plan for `render`: (h, w) to (H, W), or (top, left, height, width) of it."""
        return grid_plan(lr_size, size, window=window, neighbour_mode=self.decoder.neighbour_mode)

    def upscale(
        self,
        image: Any,
        size: Sequence[int] | None = None,
        *,
        scale: float | None = None,
        sample: bool = False,
    ) -> np.ndarray:
        """Upscale images to any size, whole, the output piece by piece.

        Of images too large to be encoded at once, `inference.Upscaler` makes tiles.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            size: (H, W) of the output.
            scale: factor on both sides, instead of a size; 3.7 is as good as 4.
            sample: as in `encode`.

        Returns:
            (batch, H, W, 3) float32 in [0, 1], not clipped.

        Raises:
            InvalidArgument: if the image is not (batch, h, w, 3), or not exactly one of a valid
                size and a valid scale is given.
        """
        size = output_size_of(image, size, scale)
        shape = image_shape(image)
        # Planned before the output's memory is taken: the plan refuses impossible sizes.
        plan = self.plan(shape[1:3], size)
        if self._renderer is None:
            self._renderer = ImplicitRenderer(self, _UPSCALE_MEMORY)
        if sample:
            latent = self.encode(image, sample=True)
            pieces = self._renderer.pieces_of(self.decoder.split(latent), plan)
        else:
            pieces = self._renderer.pieces(image, plan)
        output = np.empty((shape[0], *size, 3), np.float32)
        for rows, columns, colours in pieces:
            output[:, rows, columns] = colours
        return output

    @property
    def halo(self) -> int:
        """How far from its neighbours a query depends on the image, in LR pixels."""
        return max(self.encoder.halo, self.decoder.latent_halo) + self.decoder.halo

    def renderer(self, memory: int) -> Renderer:
        """What draws windows of the output in so many bytes; the weights must not change then."""
        return ImplicitRenderer(self, memory, keep=True)

    def get_config(self) -> dict[str, Any]:
        """Plain data: {"encoder": {"name": ..., ...}, "decoder": {...}} and the layer's own."""
        config = super().get_config()
        config.pop("autocast", None)
        return {
            **config,
            "encoder": ENCODERS.config_of(self.encoder),
            "decoder": DECODERS.config_of(self.decoder),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> ImplicitSR:
        """The model of {"encoder": name or mapping, "decoder": name or mapping}.

        Raises:
            InvalidArgument: if either is missing, or a name or an argument is unknown.
        """
        check_model_config(config, ("encoder", "decoder"))
        return cls(**config)
