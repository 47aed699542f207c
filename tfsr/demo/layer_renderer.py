"""A model as the renderer of layers: encode once, render tiles of any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfsr.geometry import Tile, pixel_centres
from tfsr.geometry.tiles import Span
from tfsr.images import to_float
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.models import ImplicitSR
from tfsr.rendering import ImplicitRenderer
from tfsr.rendering.maps import project
from tfsr.rendering.renderer import BatchPatch


class LayerRenderer:
    """Encodes and renders, one layer at a time.

    Args:
        model: its weights must not change.
    """

    def __init__(self, model: ImplicitSR) -> None:
        self.model = model
        self._renderer = ImplicitRenderer(model, DEFAULT_MEMORY)
        self.max_lr_pixels = self._renderer.lr_pixels
        self.input_span = self._renderer.input_span

    def encode(self, pixels: np.ndarray, rows: Span, columns: Span) -> Any:
        """Return what the decoder needs of some rows and columns of an image, for any output size.

        Args:
            pixels: (h, w, 3) uint8, the whole image.
            rows: those to encode.
            columns: those to encode.
        """
        part = to_float(pixels[slice(*rows), slice(*columns)])[None]
        coordinates = None
        if self.model.decoder.latent_coordinates:
            spans = zip(pixels.shape, (rows, columns), strict=False)
            coordinates = tuple(pixel_centres(length)[slice(*span)] for length, span in spans)
        return project(self.model.decoder, self.model.encode(part, coordinates=coordinates))

    def render(self, encoded: Any, tile: Tile) -> Iterator[BatchPatch]:
        """Yield the patches of a tile."""
        plan = tile.plan(self.model.decoder.neighbour_mode)
        return self._renderer.render_maps(encoded, plan)
