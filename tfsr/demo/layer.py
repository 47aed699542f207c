"""An RGB image that is encoded once and rendered tile by tile, at any zoom."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tfsr.demo.layer_renderer import LayerRenderer
from tfsr.errors import InvalidArgument
from tfsr.geometry import Tile
from tfsr.geometry.tiles import Span
from tfsr.images import to_float, to_uint8
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.rendering import BicubicRenderer
from tfsr.rendering.renderer import BatchPatch

_MAX_ENCODED_PIXELS = 2**18  # 512x512 LR pixels.

Size = tuple[int, int]


class _Part(NamedTuple):
    """A rectangle of an image, and its encoding."""

    rows: Span
    columns: Span
    encoded: Any

    @property
    def pixels(self) -> int:
        return (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])

    def covers(self, rows: Span, columns: Span) -> bool:
        return _covers(self.rows, rows) and _covers(self.columns, columns)


class EncodingCache:
    """The encodings in memory, until their layers are gone; the least recently used are dropped.

    Args:
        max_pixels: int. Of all encodings together. Defaults to four images of 512x512.
    """

    def __init__(self, max_pixels: int = 4 * _MAX_ENCODED_PIXELS) -> None:
        self._max_pixels = max_pixels
        self._parts: WeakKeyDictionary[Layer, _Part] = WeakKeyDictionary()

    def pop(self, layer: Layer) -> _Part | None:
        """Remove and return a layer's encoding, if there is one."""
        return self._parts.pop(layer, None)

    def add(self, layer: Layer, part: _Part) -> None:
        """Add an encoding as the last one used."""
        self._parts[layer] = part
        while len(self._parts) > 1 and self.num_pixels > self._max_pixels:
            del self._parts[next(iter(self._parts.keys()))]

    @property
    def num_pixels(self) -> int:
        """LR pixels of all encodings."""
        return sum(part.pixels for part in self._parts.values())


class Layer:
    """An image, and its encoding by a model.

    Images of up to 512x512 pixels are encoded whole, once. Of larger ones only the area around the
    tile is encoded, and cached until a tile leaves it.

    Args:
        pixels: (h, w, 3) uint8.
        renderer: shared by all layers of a model.
        cache: shared by all layers.

    Attributes:
        num_encodings: how often something was encoded.
    """

    def __init__(self, pixels: np.ndarray, renderer: LayerRenderer, cache: EncodingCache) -> None:
        self.num_encodings = 0
        self._pixels, self._renderer, self._cache = pixels, renderer, cache
        self._size: Size = (pixels.shape[0], pixels.shape[1])
        self._max_pixels = min(_MAX_ENCODED_PIXELS, renderer.max_lr_pixels)

    def encode(self) -> None:
        """Encode the image now, if it is encoded whole."""
        if prod(self._size) <= self._max_pixels:
            self._part_of((0, self._size[0]), (0, self._size[1]))

    def render(self, size: Size, rows: Span, columns: Span) -> np.ndarray:
        """Render some rows and columns of the output of (H, W): (rows, columns, 3) uint8.

        Raises:
            InvalidArgument: if they depend on too many LR pixels.
        """
        part = self._part_of(*_input_spans(self._renderer, self._size, size, (rows, columns)))
        tile = Tile(self._size, size, rows, columns, part.rows, part.columns)
        return _assembled(self._renderer.render(part.encoded, tile), rows, columns)

    def _part_of(self, rows: Span, columns: Span) -> _Part:
        """A part that covers these rows and columns: the cached one, or a new one."""
        part = self._cache.pop(self)
        if part is None or not part.covers(rows, columns):
            height, width = self._size
            if height * width <= self._max_pixels:
                rows, columns = (0, height), (0, width)
            else:
                side = int(self._max_pixels**0.5)
                rows, columns = _extend(rows, side, height), _extend(columns, side, width)
            part = None  # Its memory is free for the new one.
            part = self._encode(rows, columns)
        self._cache.add(self, part)
        return part

    def _encode(self, rows: Span, columns: Span) -> _Part:
        height, width = rows[1] - rows[0], columns[1] - columns[0]
        if height * width > self._renderer.max_lr_pixels:
            raise InvalidArgument(
                f"this tile depends on {width}x{height} pixels of the image; the limit is "
                f"{self._renderer.max_lr_pixels}: ask for a smaller tile, or a larger size"
            )
        self.num_encodings += 1
        return _Part(rows, columns, self._renderer.encode(self._pixels, rows, columns))


class BicubicLayer:
    """An image that is resized by bicubic, tile by tile.

    Args:
        pixels: (h, w, 3) uint8.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels, self._renderer = pixels, BicubicRenderer(DEFAULT_MEMORY)

    def render(self, size: Size, rows: Span, columns: Span) -> np.ndarray:
        """As `Layer.render`, of any size."""
        lr_size = self._pixels.shape[0], self._pixels.shape[1]
        lr_rows, lr_columns = _input_spans(self._renderer, lr_size, size, (rows, columns))
        tile = Tile(lr_size, size, rows, columns, lr_rows, lr_columns)
        pixels = to_float(self._pixels[slice(*lr_rows), slice(*lr_columns)])
        return _assembled(self._renderer.render(pixels[None], tile), rows, columns)


def _input_spans(
    renderer: Any, lr_size: Size, size: Size, spans: tuple[Span, Span]
) -> tuple[Span, Span]:
    """The rows and columns of the image that a tile depends on."""
    rows, columns = (
        renderer.input_span(lr, hr, *span)
        for lr, hr, span in zip(lr_size, size, spans, strict=True)
    )
    return rows, columns


def _assembled(patches: Iterator[BatchPatch], rows: Span, columns: Span) -> np.ndarray:
    output = np.empty((rows[1] - rows[0], columns[1] - columns[0], 3), np.uint8)
    for part_rows, part_columns, colours in patches:
        output[part_rows, part_columns] = to_uint8(colours[0])
    return output


def _covers(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _extend(span: Span, length: int, whole: int) -> Span:
    """A span of at least that length around another one, inside the whole."""
    length = min(max(length, span[1] - span[0]), whole)
    first = (span[0] + span[1] - length) // 2
    first = min(max(first, 0), whole - length)
    return first, first + length
