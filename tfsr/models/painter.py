"""What draws windows of a model's answer within a budget of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from tfsr.geometry import Window

Piece = tuple[slice, slice, np.ndarray]
"""Rows and columns of a window, and their colours: (batch, rows, columns, 3) float32, unclipped."""


class Painter(Protocol):
    """Draws windows of the answers of one model.

    Attributes:
        lr_pixels: how many pixels of a picture a window may be drawn from.
        lr_bytes: what each of them takes.
    """

    lr_pixels: int
    lr_bytes: int

    def reach(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """The LR pixels that pixels start to stop of an axis are drawn from: first and end."""

    def paint(self, image: Any, window: Window) -> Iterator[Piece]:
        """Draw a window.

        Args:
            image: (batch, rows, columns, 3) in [0, 1], the window's rectangle of the LR picture.
            window: from `geometry.windows`.
        """


def aligned(image: Any, window: Window, multiple: int) -> tuple[Any, Window]:
    """Crop a window's LR image so that it begins at multiples, for an encoder's `size_multiple`.

    At most multiple - 1 rows and columns go: the painter's `reach` asks for so many more.
    """
    inner = window.aligned(multiple)
    top = inner.lr_rows[0] - window.lr_rows[0]
    left = inner.lr_columns[0] - window.lr_columns[0]
    return image[:, top:, left:], inner
