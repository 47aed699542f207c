"""The flips and turns of an image, and of windows of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from tfsr.geometry.tiles import Span, Tile


@dataclass(frozen=True)
class Symmetry:
    """A flip or a turn: rows and columns are reversed, then they change places.

    Attributes:
        rows: whether the rows are reversed.
        columns: whether the columns are reversed.
        swapped: whether rows become columns and columns rows.
    """

    rows: bool = False
    columns: bool = False
    swapped: bool = False

    def of(self, images: np.ndarray) -> np.ndarray:
        """A view of images (batch, H, W, n): what is written to it is written to them."""
        turned = images[:, :: -1 if self.rows else 1, :: -1 if self.columns else 1]
        return turned.swapaxes(1, 2) if self.swapped else turned

    def of_tile(self, window: Tile) -> Tile:
        """Where a window lies in the flipped or turned image, and what it is drawn from."""
        turned = replace(
            window,
            rows=_reversed(window.rows, window.size[0], self.rows),
            columns=_reversed(window.columns, window.size[1], self.columns),
            lr_rows=_reversed(window.lr_rows, window.lr_size[0], self.rows),
            lr_columns=_reversed(window.lr_columns, window.lr_size[1], self.columns),
        )
        if not self.swapped:
            return turned
        return Tile(
            lr_size=turned.lr_size[::-1],
            size=turned.size[::-1],
            rows=turned.columns,
            columns=turned.rows,
            lr_rows=turned.lr_columns,
            lr_columns=turned.lr_rows,
        )


MIRROR_TRANSFORMS = (Symmetry(), Symmetry(columns=True))
"""An image and its mirror image."""

# Those of one shape come first, so that what depends on it is made twice at the most.
DIHEDRAL_TRANSFORMS = tuple(
    Symmetry(rows, columns, swapped) for swapped, rows, columns in product((False, True), repeat=3)
)
"""All eight symmetries of a square."""


def _reversed(span: Span, length: int, is_reversed: bool) -> Span:
    first, last = span
    return (length - last, length - first) if is_reversed else span
