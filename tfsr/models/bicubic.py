"""The baseline of every table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from tfsr.geometry import Tile, cubic_axis, cubic_span
from tfsr.models.arguments import output_size_of
from tfsr.models.renderer import Patch, Renderer

_PIXELS_PER_BAND = 2**18


class Bicubic:
    """Bicubic interpolation (a = -0.5, antialiased when reducing) with a model's `upscale`.

    The same kernel as Pillow's, in float32 and not rounded between the two axes: at most one 8-bit
    level apart.
    """

    def upscale(
        self, image: Any, size: Sequence[int] | None = None, *, scale: float | None = None
    ) -> np.ndarray:
        """Resize images to any size.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            size: (H, W) of the output.
            scale: factor on both sides, instead of a size.

        Returns:
            (batch, H, W, 3) float32, not clipped.

        Raises:
            InvalidArgument: as `ImplicitSR.upscale`.
        """
        size = output_size_of(image, size, scale)
        pixels = np.asarray(ops.convert_to_numpy(image), np.float32)
        rows, columns = (
            cubic_axis(lr, hr, 0, hr) for lr, hr in zip(pixels.shape[1:3], size, strict=True)
        )
        return resize(pixels, rows, columns)

    def renderer(self, memory: int) -> Renderer:
        """What draws windows of the output in so many bytes."""
        return BicubicRenderer(memory)


class BicubicRenderer:
    """Windows of a bicubic answer.

    Args:
        memory: int. Bytes that a window may take beside its output.
    """

    # The image in float32, and its pixels under the kernels of a band's.
    bytes_per_lr_pixel = 2 * 3 * 4

    def __init__(self, memory: int) -> None:
        # Larger tiles gain nothing, and have matrices of ever more zeros.
        self.lr_pixels = min(memory // self.bytes_per_lr_pixel, 2**18)

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: the pixels under the kernel."""
        return cubic_span(lr, hr, start, stop)

    def render(self, image: Any, window: Tile) -> Iterator[Patch]:
        """As `Renderer.render`: bands of rows."""
        rows, columns = (
            cubic_axis(lr, hr, *span, *lr_span) for lr, hr, span, lr_span in window.axes
        )
        pixels = np.asarray(image, np.float32)
        yield from in_bands(pixels, rows, columns)


def in_bands(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Iterator[Patch]:
    """What `resize` answers, in bands of rows."""
    count = max(1, _PIXELS_PER_BAND // len(columns))
    for start in range(0, len(rows), count):
        band = rows[start : start + count]
        yield slice(start, start + len(band)), slice(None), resize(image, band, columns)


def resize(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(batch, h, w, 3) float32 by the weights (H, h) and (W, w) of `cubic_axis`."""
    batch, height, width, channels = image.shape
    resized = rows @ image.reshape(batch, height, width * channels)
    resized = resized.reshape(batch, len(rows), width, channels).transpose(0, 1, 3, 2)
    return (resized @ columns.T).transpose(0, 1, 3, 2)
