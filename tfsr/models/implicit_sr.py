"""An encoder and a coordinate decoder as one Keras model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.backend import is_traced
from tfsr.decoders import DECODERS, Decoder
from tfsr.encoders import ENCODERS
from tfsr.errors import InvalidArgument
from tfsr.geometry import SamplingPlan, grid_plan, window_coordinates
from tfsr.hints import checked_arguments
from tfsr.layers.configured_layer import with_dtype
from tfsr.models.arguments import as_float32, check_images, image_shape, output_size_of
from tfsr.models.image_pairs import with_lattice
from tfsr.models.sr_model import SRModel
from tfsr.rendering import ImplicitRenderer, render_grid, render_lattice, render_points
from tfsr.rendering.maps import denormalize, join_latent, normalize, project
from tfsr.rendering.renderer import Renderer

# Four times the memory in which `upscale` decodes a patch: the image is encoded whole.
_UPSCALE_MEMORY = 2**30


@keras.saving.register_keras_serializable("tfsr")
class ImplicitSR(SRModel):
    """Super-resolution at any scale: the LR image is encoded once, then decoded at any point.

    Images are float32 RGB in [0, 1], (batch, height, width, 3); outputs too, and not clipped.
    `fit` and `evaluate` take the inputs of `call` and colours, or pairs of small and large images.

    Args:
        encoder: an encoder layer, its registered name, or {"name": ..., argument: value}.
        decoder: a `Decoder`, its registered name, or {"name": ..., argument: value}.

    Raises:
        InvalidArgument: for an unknown name or argument.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "liif")
        >>> model.upscale(np.zeros((1, 12, 9, 3), np.float32), size=(23, 17)).shape
        (1, 23, 17, 3)
    """

    @checked_arguments("ImplicitSR.from_preset(NAME) loads a trained model")
    def __init__(self, encoder: Any, decoder: Any, **kwargs: Any) -> None:
        super().__init__(autocast=False, **with_dtype(kwargs))
        self.encoder = ENCODERS.build(encoder, dtype=self.dtype_policy)
        self.decoder: Decoder = DECODERS.build(decoder, dtype=self.dtype_policy)
        self.encoder.build((None, None, None, 3))
        self.decoder.build((None, None, None, self.encoder.channels))
        self._renderer: ImplicitRenderer | None = None
        points = (None, None, 2)
        # Keras records it for `export`.
        self.build({"image": (None, None, None, 3), "coordinates": points, "cell": points})

    def encode(self, image, **arguments: Any):
        """Encode images into everything that `render` needs, as one tensor.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            **arguments: as of `encode_parts`.

        Returns:
            (batch, h, w, channels) float32: features, frequency tokens and input channels, as far
            as the decoder has them.

        Raises:
            InvalidArgument: for integer images, or other shapes.
        """
        return join_latent(self.decoder, *self.encode_parts(image, **arguments))

    def encode_parts(
        self,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ) -> tuple[Any, Any]:
        """Return features and normalised input, which `encode` joins.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            coordinates: rows (..., h) and columns (..., w) of its pixels in [-1, 1], where it is
                cropped from a larger image and the decoder's `latent_coordinates` is True.
            training: whether this is a training step.
            sample: whether a stochastic decoder samples its noise (ARASFSR's frequency latent).

        Raises:
            InvalidArgument: for integer images, or other shapes.
        """
        check_images(image)
        normalised = normalize(image)
        features = self.encoder.encode(normalised, training=training)
        features = self.decoder.latent(
            features, normalised, coordinates=coordinates, training=training, sample=sample
        )
        return features, normalised

    def call(self, inputs: Mapping[str, Any], training: bool = False, sample: bool = False):
        """Compute the colours of points, or of a lattice.

        Args:
            inputs: "image" (batch, h, w, 3) in [0, 1]; "coordinates" (batch, points, 2), (row,
                column) in [-1, 1]; "cell" (batch, points, 2), the output pixel's size 2 / (H, W).
                Optionally "window" (batch, 4): where the image lies in a larger one that it was
                cropped from (see `geometry.points_plan`). For a lattice instead: "rows" (batch, P)
                and "columns" (batch, Q) in [-1, 1], and "cell" (batch, 2).
            training: whether this is a training step.
            sample: as in `encode_parts`.

        Returns:
            (batch, points, 3), or (batch, P, Q, 3) for a lattice: float32 in [0, 1], not clipped.
        """
        # `fit` converts arrays to Keras's floatx, which other programs may have set.
        inputs = {name: as_float32(value) for name, value in inputs.items()}
        image, window = inputs["image"], inputs.get("window")
        coordinates = None
        if window is not None and self.decoder.latent_coordinates:
            coordinates = window_coordinates(window, ops.shape(image)[1:3])
        latent = self.encode(image, coordinates=coordinates, training=training, sample=sample)
        cell = inputs["cell"]
        if "rows" in inputs:
            axes = inputs["rows"], inputs["columns"]
            return denormalize(render_lattice(self.decoder, latent, *axes, cell, window))
        points = inputs["coordinates"]
        return denormalize(render_points(self.decoder, latent, points, cell, window))

    def _smallest_inputs(self) -> dict[str, Any]:
        points = np.zeros((1, 2, 2), np.float32)
        return {"image": super()._smallest_inputs(), "coordinates": points, "cell": points + 1}

    def train_step(self, *arguments: Any) -> Any:
        """Take Keras's step; of pairs of images, all pixels of the large ones are targets."""
        return super().train_step(*arguments[:-1], with_lattice(arguments[-1]))

    def test_step(self, *arguments: Any) -> Any:
        """As `train_step`."""
        return super().test_step(*arguments[:-1], with_lattice(arguments[-1]))

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras builds metrics from a batch that no step has seen.
        if data_batch is None:
            _, _, found = next(iter(iterator))
            data_batch = found[0] if isinstance(found, list | tuple) else next(found)
        super()._symbolic_build(data_batch=with_lattice(data_batch))

    def render(self, latent, plan: SamplingPlan):
        """Render encoded images on a grid: the whole output, or a window at any zoom.

        Args:
            latent: from `encode`.
            plan: from `plan`, or `geometry.grid_plan` with the decoder's `neighbour_mode`.

        Returns:
            (batch, rows, columns, 3) float32 in [0, 1], not clipped.

        Raises:
            InvalidArgument: for a plan of LR images of another size.
        """
        if tuple(latent.shape[1:3]) not in (plan.lr_size, (None, None)):
            raise InvalidArgument(
                f"is for LR images of {plan.lr_size}; the latent is {latent.shape[1:3]}", "plan"
            )
        return denormalize(render_grid(self.decoder, latent, plan))

    def plan(
        self, lr_size: Sequence[int], size: Sequence[int], window: Sequence[int] | None = None
    ) -> SamplingPlan:
        """Plan `render`: (h, w) to (H, W), or (top, left, height, width) of it."""
        mode = self.decoder.neighbour_mode
        return grid_plan(lr_size, size, window=window, neighbour_mode=mode)

    @checked_arguments()
    def upscale(
        self,
        image: Any,
        size: Sequence[int] | None = None,
        *,
        scale: float | None = None,
        sample: bool = False,
    ) -> np.ndarray:
        """Upscale images to any size: encoded whole, rendered patch by patch.

        Every size is sampled as published. `tfsr.upscale` antialiases an output that is smaller
        than its image, and makes tiles of images too large to be encoded at once.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            size: (H, W) of the output.
            scale: factor on both sides, instead of a size.
            sample: as in `encode_parts`.

        Returns:
            (batch, H, W, 3) float32 in [0, 1], not clipped: an array, or inside a compiled
            function, such as a `tf.function`, a tensor that is rendered at once.

        Raises:
            InvalidArgument: if the image is not (batch, h, w, 3), or not exactly one of a valid
                size and a valid scale is given; inside a compiled function, if its height or width
                is not known.
        """
        size = output_size_of(image, size, scale)
        shape = image_shape(image)
        # Planned before the output's memory is taken: the plan refuses impossible sizes.
        plan = self.plan(shape[1:3], size)
        if is_traced(image):
            return self.render(self.encode(image, sample=sample), plan)
        if self._renderer is None:
            self._renderer = ImplicitRenderer(self, _UPSCALE_MEMORY)
        if sample:
            maps = project(self.decoder, self.encode(image, sample=True))
            patches = self._renderer.render_maps(maps, plan)
        else:
            patches = self._renderer.render_image(image, plan)
        output = np.empty((shape[0], *size, 3), np.float32)
        for rows, columns, colours in patches:
            output[:, rows, columns] = colours
        return output

    @property
    def halo(self) -> int:
        """LR pixels around its neighbours that a query depends on."""
        return max(self.encoder.halo, self.decoder.latent_halo) + self.decoder.halo

    @property
    def global_coordinates(self) -> bool:
        """As `Decoder.global_coordinates`."""
        return self.decoder.global_coordinates

    def renderer(self, memory: int) -> Renderer:
        """Make a renderer of tiles in `memory` bytes; the weights must not change afterwards."""
        return ImplicitRenderer(self, memory, cache=True)

    def get_config(self) -> dict[str, Any]:
        """Plain data: {"encoder": {"name": ..., ...}, "decoder": {...}} and the layer's own."""
        return {
            **super().get_config(),
            "encoder": ENCODERS.config_of(self.encoder),
            "decoder": DECODERS.config_of(self.decoder),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> ImplicitSR:
        """Make the model of {"encoder": name or mapping, "decoder": name or mapping}.

        Raises:
            InvalidArgument: if either is missing, or a name or an argument is unknown.
        """
        parts = {"encoder": ENCODERS, "decoder": DECODERS}
        return cls._of_config(config, parts, list(parts))
