"""An image that is encoded once and rendered tile by tile, at any zoom."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry import Tile, pixel_centres
from tfsr.images import DecodedImage, to_float, to_uint8
from tfsr.images.transparency import flatten
from tfsr.models import ImplicitSR
from tfsr.rendering import BicubicRenderer, ImplicitRenderer
from tfsr.rendering.maps import project
from tfsr.rendering.renderer import BatchPatch

_MEMORY = 2**31
_MAX_ENCODED_PIXELS = 2**18  # 512x512 LR pixels.
_MAX_TILE_PIXELS = 2**16
_MAX_SIDE = 2**24  # A float32 holds all integers up to there.

Span = tuple[int, int]
TileBox = tuple[int, int, int, int]
"""(top, left, height, width) in pixels of the output."""


class SceneRenderer:
    """Encodes and renders, one image at a time.

    Args:
        model: its weights must not change.
    """

    def __init__(self, model: ImplicitSR) -> None:
        self.model = model
        self._renderer = ImplicitRenderer(model, _MEMORY)
        self.bicubic = BicubicRenderer(_MEMORY)
        self.max_lr_pixels = self._renderer.lr_pixels
        self.input_span = self._renderer.input_span

    def encode(self, pixels: np.ndarray, rows: Span, columns: Span) -> Any:
        """Return what the decoder needs of some rows and columns of an image, for any output size.

        Args:
            pixels: (h, w, 3) uint8, the whole image.
            rows: those to encode.
            columns: those to encode.
        """
        part = to_float(pixels[slice(*rows), slice(*columns)])[None]
        coordinates = None
        if self.model.decoder.latent_coordinates:
            spans = zip(pixels.shape, (rows, columns), strict=False)
            coordinates = tuple(pixel_centres(length)[slice(*span)] for length, span in spans)
        return project(self.model.decoder, self.model.encode(part, coordinates=coordinates))

    def render(self, encoded: Any, tile: Tile) -> Iterator[BatchPatch]:
        """Yield the patches of a tile."""
        plan = tile.plan(self.model.decoder.neighbour_mode)
        return self._renderer.render_maps(encoded, plan)


class _Part(NamedTuple):
    """A rectangle of an image, and its encoding."""

    rows: Span
    columns: Span
    encoded: Any


class Scene:
    """An image and its encoding.

    Images of up to 512x512 pixels are encoded whole, once. Of larger ones only the area around the
    tile is encoded, and cached until a tile leaves it.

    Args:
        image: of any kind. Transparency is shown on white.
        renderer: shared by all scenes.

    Attributes:
        image: as given.
        num_encodings: how often something was encoded.
    """

    def __init__(self, image: DecodedImage, renderer: SceneRenderer) -> None:
        self.image = image
        self.num_encodings = 0
        self._renderer = renderer
        self._max_pixels = min(_MAX_ENCODED_PIXELS, renderer.max_lr_pixels)
        self._pixels = flatten(image)
        self._part: _Part | None = None

    def encode(self) -> None:
        """Encode the image now, if it is encoded whole."""
        if prod(self.image.size) <= self._max_pixels:
            self._part_of(*((0, side) for side in self.image.size))

    def render(self, size: tuple[int, int], box: TileBox) -> np.ndarray:
        """Render a tile of the output from the encoding.

        Args:
            size: (H, W) of the whole output.
            box: the tile, of 65,536 pixels at most.

        Returns:
            (height, width, 3) uint8: the same pixels of the whole output.

        Raises:
            InvalidArgument: if the tile is too large or leaves the output, or, of a reduction,
                depends on too many LR pixels.
        """
        spans = _spans(size, box)
        part = self._part_of(*self._input_spans(self._renderer, size, spans))
        tile = Tile(self.image.size, size, *spans, part.rows, part.columns)
        return _assembled(self._renderer.render(part.encoded, tile), box)

    def render_bicubic(self, size: tuple[int, int], box: TileBox) -> np.ndarray:
        """Resize the same tile by bicubic; arguments and errors as of `render`."""
        spans = _spans(size, box)
        rows, columns = self._input_spans(self._renderer.bicubic, size, spans)
        tile = Tile(self.image.size, size, *spans, rows, columns)
        pixels = to_float(self._pixels[slice(*rows), slice(*columns)])
        return _assembled(self._renderer.bicubic.render(pixels[None], tile), box)

    def _input_spans(
        self, renderer: Any, size: tuple[int, int], spans: tuple[Span, Span]
    ) -> tuple[Span, Span]:
        """The rows and columns of the image that a tile depends on."""
        rows, columns = (
            renderer.input_span(lr, hr, *span)
            for lr, hr, span in zip(self.image.size, size, spans, strict=True)
        )
        return rows, columns

    def _part_of(self, rows: Span, columns: Span) -> _Part:
        """A part that covers these rows and columns: the cached one, or a new one."""
        part = self._part
        if part is None or not (_covers(part.rows, rows) and _covers(part.columns, columns)):
            height, width = self.image.size
            if height * width <= self._max_pixels:
                rows, columns = (0, height), (0, width)
            else:
                side = int(self._max_pixels**0.5)
                rows, columns = _extend(rows, side, height), _extend(columns, side, width)
            self._part = None  # Its memory is free for the new one.
            part = self._part = self._encode(rows, columns)
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


def _spans(size: tuple[int, int], box: TileBox) -> tuple[Span, Span]:
    """The rows and columns of a tile, checked."""
    top, left, height, width = box
    if max(size) > _MAX_SIDE:
        raise InvalidArgument(f"a side may have {_MAX_SIDE} pixels at most; received {max(size)}")
    if min(top, left) < 0 or min(height, width) < 1 or height * width > _MAX_TILE_PIXELS:
        raise InvalidArgument(
            f"a tile must have 1 to {_MAX_TILE_PIXELS} pixels; received {width}x{height} at "
            f"{left},{top}"
        )
    if top + height > size[0] or left + width > size[1]:
        raise InvalidArgument(
            f"a tile must lie inside the {size[1]}x{size[0]} pixels of the output; received "
            f"{width}x{height} at {left},{top}"
        )
    return (top, top + height), (left, left + width)


def _assembled(patches: Iterator[BatchPatch], box: TileBox) -> np.ndarray:
    output = np.empty((*box[2:], 3), np.uint8)
    for rows, columns, colours in patches:
        output[rows, columns] = to_uint8(colours[0])
    return output


def _covers(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _extend(span: Span, length: int, whole: int) -> Span:
    """A span of at least that length around another one, inside the whole."""
    length = min(max(length, span[1] - span[0]), whole)
    first = (span[0] + span[1] - length) // 2
    first = min(max(first, 0), whole - length)
    return first, first + length
