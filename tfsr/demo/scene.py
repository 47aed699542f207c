"""A photograph whose faces are restored, rendered tile by tile, at any zoom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tfsr.demo.layer import BicubicLayer, EncodingCache, Layer, Size
from tfsr.demo.restorers import Restorer
from tfsr.errors import InvalidArgument
from tfsr.faces import FaceRegion, paste_face, pasted_part, surrounding_box
from tfsr.geometry.tiles import Span
from tfsr.images import DecodedImage
from tfsr.images.transparency import flatten
from tfsr.inference.face_choice import FaceChoice

_MAX_TILE_PIXELS = 2**16
MAX_SIDE = 2**24
"""Of an output, in pixels: a float32 holds all integers up to there."""

TileBox = tuple[int, int, int, int]
"""(top, left, height, width) in pixels of the output."""


class _Layers(NamedTuple):
    """The background of an image, or the image as one face; and parts around faces, by place."""

    base: Layer | BicubicLayer
    parts: dict[tuple[Span, Span], Layer]


class Scene:
    """An image, and the faces in it.

    Args:
        image: of any kind. Transparency is shown on white.
        cache: of encodings, shared by all scenes.

    Attributes:
        image: as given.
        choice: what of it is restored; None before `choose`: all of it, as one face.
        note: on the choice, for the user, or "".
    """

    def __init__(self, image: DecodedImage, cache: EncodingCache) -> None:
        self.image = image
        self.choice: FaceChoice | None = None
        self.note = ""
        self._cache = cache
        self._pixels = flatten(image)
        self._bicubic = BicubicLayer(self._pixels)
        self._layers: WeakKeyDictionary[Restorer, _Layers] = WeakKeyDictionary()

    @property
    def num_parts(self) -> int:
        """How many parts are encoded apart: the faces to restore, or 1 for the whole image."""
        if self.choice is None or self.choice.whole:
            return 1
        return len(self.choice.ovals)

    def choose(self, choice: FaceChoice, note: str = "") -> None:
        """Set what of the image is restored, and a note on it."""
        self.choice, self.note = choice, note
        self._layers.clear()

    def encode(self, part: int, size: Size, restorer: Restorer) -> None:
        """Encode a part for an output of (H, W) now, unless it is too large to be encoded whole."""
        layer = self._layers_of(restorer).base
        if ovals := self._ovals(size):
            rows, columns, _ = surrounding_box(ovals[part], self.image.size, size)
            layer = self._part(rows, columns, restorer)
        if isinstance(layer, Layer):
            layer.encode()

    def render(self, size: Size, box: TileBox, restorer: Restorer) -> np.ndarray:
        """Render a tile of the output of `PhotographUpscaler`.

        Args:
            size: (H, W) of the whole output.
            box: the tile, of 65,536 pixels at most.
            restorer: what renders it.

        Returns:
            (height, width, 3) uint8: the same pixels of the whole output.

        Raises:
            InvalidArgument: if the tile is too large or leaves the output, or, of a reduction,
                depends on too many LR pixels.
        """
        spans = _spans(size, box)
        if any(hr < lr for lr, hr in zip(self.image.size, size, strict=True)):
            return self._bicubic.render(size, *spans)
        tile = self._layers_of(restorer).base.render(size, *spans)
        for oval in self._ovals(size):
            rows, columns, target = surrounding_box(oval, self.image.size, size)
            target = _on_tile(target, box)
            visible = pasted_part(box[2:], target)
            if visible is not None:
                face = self._part(rows, columns, restorer).render(target.size, *visible)
                oval = _on_tile(oval.resized(self.image.size, size), box)
                paste_face(tile, face, target, oval, visible)
        return tile

    def render_bicubic(self, size: Size, box: TileBox) -> np.ndarray:
        """Resize the same tile by bicubic; arguments and errors as of `render`."""
        return self._bicubic.render(size, *_spans(size, box))

    def _ovals(self, size: Size) -> Sequence[FaceRegion]:
        if self.choice is None:
            return ()
        return self.choice.for_output(self.image.size, size).ovals

    def _layers_of(self, restorer: Restorer) -> _Layers:
        if restorer not in self._layers:
            whole = self.choice is None or self.choice.whole
            renderer = restorer.face_renderer if whole else restorer.background_renderer
            base = Layer(self._pixels, renderer, self._cache) if renderer else self._bicubic
            self._layers[restorer] = _Layers(base, {})
        return self._layers[restorer]

    def _part(self, rows: Span, columns: Span, restorer: Restorer) -> Layer:
        """The layer of some rows and columns with a face."""
        parts = self._layers_of(restorer).parts
        if (rows, columns) not in parts:
            pixels = self._pixels[slice(*rows), slice(*columns)]
            parts[rows, columns] = Layer(pixels, restorer.face_renderer, self._cache)
        return parts[rows, columns]


def _on_tile(region: FaceRegion, box: TileBox) -> FaceRegion:
    """A region of the output, in pixels of a tile."""
    return replace(region, centre=(region.centre[0] - box[0], region.centre[1] - box[1]))


def _spans(size: Size, box: TileBox) -> tuple[Span, Span]:
    """The rows and columns of a tile, checked."""
    top, left, height, width = box
    if max(size) > MAX_SIDE:
        raise InvalidArgument(f"a side may have {MAX_SIDE} pixels at most; received {max(size)}")
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
