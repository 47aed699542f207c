"""Tiles of an output, rendered from the pixels that they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tfsr.geometry import Tile
from tfsr.images import to_float

Patch = tuple[slice, slice, np.ndarray]
"""Rows and columns of the output, and their colours (rows, columns, 3)."""


def tile_patches(renderer: Any, tiles: Iterable[Tile], image: np.ndarray) -> Iterator[Patch]:
    """Yield the patches of tiles, float32, from (h, w, 3) uint8, uint16 or float32 pixels."""
    for tile in tiles:
        lr = image[slice(*tile.lr_rows), slice(*tile.lr_columns)]
        lr = lr if lr.dtype == np.float32 else to_float(lr)
        for rows, columns, colours in renderer.render(lr[None], tile):
            yield _within(tile.rows, rows), _within(tile.columns, columns), colours[0]


def _within(span: tuple[int, int], part: slice) -> slice:
    """A part of a span of the output."""
    indices = range(*span)[part]
    return slice(indices.start, indices.stop, indices.step)
