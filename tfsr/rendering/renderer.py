"""The contract of tile renderers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from tfsr.geometry import Tile

BatchPatch = tuple[slice, slice, np.ndarray]
"""Rows and columns of a tile, and their colours: (batch, rows, columns, 3) float32, unclipped."""


class Renderer(Protocol):
    """Renders tiles of the outputs of one model within a memory budget.

    Attributes:
        lr_pixels: the most LR pixels that a tile may be computed from.
        bytes_per_lr_pixel: memory that each of them takes.
    """

    lr_pixels: int
    bytes_per_lr_pixel: int

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """Return the [first, stop) LR pixels of an axis that output pixels [start, stop) need."""

    def render(self, image: Any, tile: Tile) -> Iterator[BatchPatch]:
        """Render a tile.

        Args:
            image: (batch, rows, columns, 3) in [0, 1], the tile's rectangle of the LR image.
            tile: from `geometry.make_tiles`.
        """


def align(image: Any, tile: Tile, multiple: int) -> tuple[Any, Tile]:
    """Crop a tile's LR image so that it begins at multiples, for an encoder's `size_multiple`.

    At most multiple - 1 rows and columns are removed; `input_span` requests that many extra.
    """
    inner = tile.aligned(multiple)
    top = inner.lr_rows[0] - tile.lr_rows[0]
    left = inner.lr_columns[0] - tile.lr_columns[0]
    return image[:, top:, left:], inner
