"""Rendering with a model of fixed scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras import ops

from tfsr.backend import MAP, jit
from tfsr.geometry import Tile, cubic_axis, cubic_span
from tfsr.rendering.bicubic_renderer import resize_bands
from tfsr.rendering.renderer import BatchPatch, align


class SubPixelRenderer:
    """Renders tiles of a `SubPixelSR`, resized by bicubic where another scale is asked for.

    Args:
        model: the model.
        memory: bytes that a tile may take beside its output.

    Example:
        >>> model = tfsr.models.SubPixelSR("edsr-baseline", scale=2)
        >>> tfsr.rendering.SubPixelRenderer(model, memory=2**30).lr_pixels > 100_000
        True
    """

    def __init__(self, model: Any, memory: int) -> None:
        self.model = model
        # Of the tail, the last map before and after its pixels are moved.
        tail = 2 * model.colours.kernel.shape[2] * model.scale**2
        self.bytes_per_lr_pixel = 4 * (model.encoder.peak_channels + tail)
        self.lr_pixels = memory // self.bytes_per_lr_pixel
        self._call = jit(model.__call__, model, (MAP,))

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: what the model needs of the image."""
        scale, halo = self.model.scale, self.model.halo
        first, last = cubic_span(scale * lr, hr, start, stop)
        # Up to size_multiple - 1 more pixels: `align` crops them.
        before = halo + self.model.encoder.size_multiple - 1
        return max(0, first // scale - before), min(lr, -(-last // scale) + halo)

    def render(self, image: Any, tile: Tile) -> Iterator[BatchPatch]:
        """As `Renderer.render`: one patch, or bands where it is resized."""
        image, tile = align(image, tile, self.model.encoder.size_multiple)
        output = ops.convert_to_numpy(self._call(ops.convert_to_tensor(image, "float32")))
        scale = self.model.scale
        matrices, spans = [], []
        for lr, hr, span, lr_span in tile.axes:
            first, last = span if hr == scale * lr else cubic_span(scale * lr, hr, *span)
            spans.append(slice(first - scale * lr_span[0], last - scale * lr_span[0]))
            matrices.append(cubic_axis(scale * lr, hr, *span, first, last))
        output = output[:, *spans]
        if tile.size == tuple(scale * side for side in tile.lr_size):
            yield slice(None), slice(None), output
        else:
            yield from resize_bands(output, *matrices)
