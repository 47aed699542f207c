"""What draws windows of a model's output within a budget of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from tfsr.geometry import Tile

Patch = tuple[slice, slice, np.ndarray]
"""Rows and columns of a window, and their colours: (batch, rows, columns, 3) float32, unclipped."""


class Renderer(Protocol):
    """Draws windows of the outputs of one model.

    Attributes:
        lr_pixels: how many pixels of an image a window may be drawn from.
        bytes_per_lr_pixel: what each of them takes.
    """

    lr_pixels: int
    bytes_per_lr_pixel: int

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """The LR pixels that pixels start to stop of an axis are drawn from: first and end."""

    def render(self, image: Any, window: Tile) -> Iterator[Patch]:
        """Draw a window.

        Args:
            image: (batch, rows, columns, 3) in [0, 1], the window's rectangle of the LR image.
            window: from `geometry.windows`.
        """


def aligned(image: Any, window: Tile, multiple: int) -> tuple[Any, Tile]:
    """Crop a window's LR image so that it begins at multiples, for an encoder's `size_multiple`.

    At most multiple - 1 rows and columns go: the painter's `input_span` asks for so many more.
    """
    inner = window.aligned(multiple)
    top = inner.lr_rows[0] - window.lr_rows[0]
    left = inner.lr_columns[0] - window.lr_columns[0]
    return image[:, top:, left:], inner
