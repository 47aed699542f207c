"""Rendering by bicubic interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfsr.geometry import Tile, cubic_axis, cubic_span
from tfsr.rendering.renderer import BatchPatch
from tfsr.rendering.schedule import bands

_PIXELS_PER_BAND = 2**18


class BicubicRenderer:
    """Renders tiles of a bicubic output.

    Args:
        memory: bytes that a tile may take beside its output.

    Example:
        >>> tfsr.rendering.BicubicRenderer(memory=2**20).lr_pixels
        43690
    """

    # The image in float32, and its pixels under the kernels of a band's.
    bytes_per_lr_pixel = 2 * 3 * 4

    def __init__(self, memory: int) -> None:
        # Larger tiles gain nothing, and have matrices of ever more zeros.
        self.lr_pixels = min(memory // self.bytes_per_lr_pixel, 2**18)

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: the pixels under the kernel."""
        return cubic_span(lr, hr, start, stop)

    def render(self, image: Any, tile: Tile) -> Iterator[BatchPatch]:
        """As `Renderer.render`: bands of rows."""
        rows, columns = (cubic_axis(lr, hr, *span, *lr_span) for lr, hr, span, lr_span in tile.axes)
        yield from resize_bands(np.asarray(image, np.float32), rows, columns)


def resize_bands(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Iterator[BatchPatch]:
    """As `resize`, in bands of rows."""
    for span in bands(len(rows), len(columns), _PIXELS_PER_BAND):
        yield span, slice(None), resize(image, rows[span], columns)


def resize(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Resize (batch, h, w, 3) float32 by the weights (H, h) and (W, w) of `cubic_axis`."""
    batch, height, width, channels = image.shape
    resized = rows @ image.reshape(batch, height, width * channels)
    resized = resized.reshape(batch, len(rows), width, channels).transpose(0, 1, 3, 2)
    return (resized @ columns.T).transpose(0, 1, 3, 2)
