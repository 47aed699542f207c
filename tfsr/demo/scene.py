"""An image that is encoded once and drawn window by window, at any zoom."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry import Tile
from tfsr.images import DecodedImage, to_float, to_uint8
from tfsr.images.transparency import flatten
from tfsr.models import Bicubic, ImplicitSR
from tfsr.rendering import ImplicitRenderer, Renderer, project

_MEMORY = 2**31
# LR pixels that are kept encoded: 512x512.
_KEPT = 2**18
_MOST_WINDOW = 2**16
# Up to there a float32 holds every whole number.
_LONGEST_SIDE = 2**24

Span = tuple[int, int]


class SceneRenderer:
    """Draws windows of encoded images, one at a time.

    Args:
        model: whose weights must not change.
    """

    def __init__(self, model: ImplicitSR) -> None:
        self.model = model
        self.renderer = ImplicitRenderer(model, _MEMORY)
        self.bicubic = Bicubic().renderer(_MEMORY)


@dataclass(frozen=True)
class _Part:
    """A rectangle of an image, encoded: `maps` is all that the decoder needs of it."""

    rows: Span
    columns: Span
    maps: Any

    def covers(self, rows: Span, columns: Span) -> bool:
        return _inside(rows, self.rows) and _inside(columns, self.columns)


class Scene:
    """An image, and what was encoded of it.

    An image of up to 512x512 pixels is encoded whole, once. Of a larger one, as much around the
    window that is drawn is, and kept while windows lie in it.

    Args:
        image: of any kind. What is transparent is shown on white.
        renderer: what draws it.

    Attributes:
        image: as it was given.
        encodings: how often something was encoded.
    """

    def __init__(self, image: DecodedImage, renderer: SceneRenderer) -> None:
        self.image = image
        self.encodings = 0
        self._renderer = renderer
        self._pixels = flatten(image)
        self._part: _Part | None = None

    def encode(self) -> None:
        """Encode the image now, if it is encoded whole."""
        if prod(self.image.size) <= self._most_kept:
            self._encoded(*((0, side) for side in self.image.size))

    def draw(self, size: tuple[int, int], window: tuple[int, int, int, int]) -> np.ndarray:
        """A window of the output, drawn from what was encoded.

        Args:
            size: (H, W) of the whole output.
            window: (top, left, height, width) in its pixels, 65,536 of them at most.

        Returns:
            (height, width, 3) uint8: the same pixels of the whole output.

        Raises:
            InvalidArgument: if the window is too large or leaves the output, or is drawn from more
                of the image than there is room for, as a reduction may be.
        """
        renderer, model = self._renderer.renderer, self._renderer.model
        spans = _spans(size, window)
        rows, columns = self._reach(renderer, size, spans)
        part = self._encoded(rows, columns)
        place = Tile(self.image.size, size, *spans, part.rows, part.columns)
        output = np.empty((*window[2:], 3), np.uint8)
        pieces = renderer.render_maps(part.maps, place.plan(model.decoder.neighbour_mode))
        for piece_rows, piece_columns, colours in pieces:
            output[piece_rows, piece_columns] = to_uint8(colours[0])
        return output

    def draw_bicubic(self, size: tuple[int, int], window: tuple[int, int, int, int]) -> np.ndarray:
        """The same window by bicubic; arguments and errors as of `draw`, but for the room."""
        renderer = self._renderer.bicubic
        spans = _spans(size, window)
        rows, columns = self._reach(renderer, size, spans)
        place = Tile(self.image.size, size, *spans, rows, columns)
        output = np.empty((*window[2:], 3), np.uint8)
        lr = to_float(self._pixels[slice(*rows), slice(*columns)])
        for piece_rows, piece_columns, colours in renderer.render(lr[None], place):
            output[piece_rows, piece_columns] = to_uint8(colours[0])
        return output

    def _reach(
        self, renderer: Renderer, size: tuple[int, int], spans: tuple[Span, Span]
    ) -> tuple[Span, Span]:
        """The rows and columns of the image that a window is drawn from."""
        rows, columns = (
            renderer.input_span(lr, hr, *span)
            for lr, hr, span in zip(self.image.size, size, spans, strict=True)
        )
        return rows, columns

    @property
    def _most_kept(self) -> int:
        return min(_KEPT, self._renderer.renderer.lr_pixels)

    def _encoded(self, rows: Span, columns: Span) -> _Part:
        """A part that covers these rows and columns: the one that is kept, or a new one."""
        if self._part is None or not self._part.covers(rows, columns):
            height, width = self.image.size
            if height * width <= self._most_kept:
                rows, columns = (0, height), (0, width)
            else:
                side = int(self._most_kept**0.5)
                rows, columns = _grown(rows, side, height), _grown(columns, side, width)
            self._part = None
            self._part = self._encode(rows, columns)
        return self._part

    def _encode(self, rows: Span, columns: Span) -> _Part:
        model, room = self._renderer.model, self._renderer.renderer.lr_pixels
        height, width = (last - first for first, last in (rows, columns))
        if height * width > room:
            raise InvalidArgument(
                f"this window is drawn from {width}x{height} pixels of the image; there is room "
                f"for {room}: ask for a smaller window, or a larger size"
            )
        self.encodings += 1
        image = to_float(self._pixels[slice(*rows), slice(*columns)])
        return _Part(rows, columns, project(model.decoder, model.encode(image[None])))


def _spans(size: tuple[int, int], window: tuple[int, int, int, int]) -> tuple[Span, Span]:
    """The rows and columns of a window.

    Raises:
        InvalidArgument: if it is none, or too large.
    """
    top, left, height, width = window
    if max(size) > _LONGEST_SIDE:
        raise InvalidArgument(f"a side may have {_LONGEST_SIDE} pixels at most; got {max(size)}")
    if min(top, left) < 0 or min(height, width) < 1 or height * width > _MOST_WINDOW:
        raise InvalidArgument(
            f"a window must have 1 to {_MOST_WINDOW} pixels; got {width}x{height} at {left},{top}"
        )
    if top + height > size[0] or left + width > size[1]:
        raise InvalidArgument(
            f"a window must lie inside the {size[1]}x{size[0]} pixels of the output; got "
            f"{width}x{height} at {left},{top}"
        )
    return (top, top + height), (left, left + width)


def _inside(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _grown(span: Span, length: int, whole: int) -> Span:
    """The span with as much on both sides as makes it so long, inside the whole."""
    length = min(max(length, span[1] - span[0]), whole)
    first = (span[0] + span[1] - length) // 2
    first = min(max(first, 0), whole - length)
    return first, first + length
