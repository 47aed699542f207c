"""A Keras model as an `Upscaler`, in tiles under a memory budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry import make_tiles
from tfsr.inference.memory_amount import DEFAULT_MEMORY, parse_memory
from tfsr.inference.tile_patches import tile_patches
from tfsr.inference.upscaler import Patch, Size, Upscaler
from tfsr.models import AnyModel, Bicubic, ImplicitSR, with_precision
from tfsr.rendering import SelfEnsembleRenderer


class ModelUpscaler(Upscaler):
    """Upscales images of any size by a Keras model.

    What does not fit into the memory budget is rendered in tiles that overlap by the receptive
    field, so no seams appear: with EDSR the output is that of the whole image to 1e-5, with RDN to
    what docs/performance.md says. Compiled functions, and what depends on an image's size alone,
    are cached between images.

    Args:
        model: its weights must not change any more.
        memory: as of `tfsr.load_upscaler`.
        precision: as of `tfsr.load_upscaler`.
        self_ensemble: as of `tfsr.load_upscaler`.
        kind: what the model is, in words for tables.

    Example:
        >>> upscaler = tfsr.inference.ModelUpscaler(tfsr.models.Bicubic(), memory="512MiB")
        >>> upscaler(np.zeros((4, 6, 3), np.uint8), (10, 15)).shape
        (10, 15, 3)
    """

    bit_depth = 16

    def __init__(
        self,
        model: AnyModel | Bicubic,
        memory: int | str = DEFAULT_MEMORY,
        precision: str = "float32",
        self_ensemble: bool = False,
        kind: str = "Keras model",
    ) -> None:
        self.memory = parse_memory(memory)
        if not isinstance(model, AnyModel | Bicubic):
            raise InvalidArgument(
                "must be a preset's name, a file or directory, or a model; received "
                f"{type(model).__name__}",
                "preset",
            )
        self.kind = f"self-ensemble of a {kind}" if self_ensemble else kind
        self.model = with_precision(model, precision)
        self.antialiases = not isinstance(model, ImplicitSR)
        self.renderer: Any = (
            SelfEnsembleRenderer(self.model, self.memory)
            if self_ensemble
            else self.model.renderer(self.memory)
        )

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`; InvalidArgument if the memory is not enough for a tile."""
        renderer = self.renderer
        try:
            tiles = make_tiles(image.shape[:2], size, renderer.input_span, renderer.lr_pixels)
        except InvalidArgument as error:
            raise InvalidArgument(
                f"of {self.memory / 2**20:.4g} MiB is not enough for this model: {error}", "memory"
            ) from error
        yield from tile_patches(renderer, tiles, image)
