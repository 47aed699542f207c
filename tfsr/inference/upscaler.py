"""The abstract base class `Upscaler`: whatever turns an image into a larger one."""

from __future__ import annotations

import abc
import os
from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np

from tfsr.errors import ExportError, InvalidArgument
from tfsr.geometry import make_tiles
from tfsr.hints import HintedAttributes, checked_arguments
from tfsr.images import to_float
from tfsr.images.pixel_types import check_rgb, to_integers
from tfsr.images.resizing import check_size
from tfsr.inference.adapters import adapter_for
from tfsr.inference.memory_amount import DEFAULT_MEMORY, parse_memory
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.target_size import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS, Size, TargetSize
from tfsr.inference.tile_patches import Patch, tile_patches
from tfsr.rendering import BicubicRenderer

_DTYPES = np.uint8, np.uint16, np.float32


class Upscaler(HintedAttributes, abc.ABC):
    """Whatever upscales images: a preset, a run, an exported file, a photograph pipeline.

    `tfsr.load_upscaler` makes one. A subclass implements `patches`.

    Attributes:
        kind: what it is, in words for tables.
        bit_depth: 8 or 16, the most bits a channel that it preserves.
        rounds: whether it rounds to 8 bits by itself; `raw_output` is level / 255 then.
        antialiases: whether it filters where an output is smaller than its image. Of the others, an
            image is reduced by a bicubic filter along such an axis before it is upscaled.
        details: plain data on the last image, for reports.

    Example:
        >>> upscaler = tfsr.load_upscaler("bicubic")
        >>> upscaler(np.zeros((4, 6, 3), np.uint8), (10, 15)).shape
        (10, 15, 3)
        >>> upscaler.upscale("face.png", scale=1.5).size
        (72, 72)
    """

    kind: str
    bit_depth: int = 8
    rounds: bool = False
    antialiases: bool = False
    details: Mapping[str, Any] = MappingProxyType({})
    _hints_of = "upscaler"

    @abc.abstractmethod
    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """Yield the output in patches that cover it.

        Args:
            image: (h, w, 3) uint8, uint16 or float32 in [0, 1].
            size: (H, W) of the output.

        Yields:
            Rows, columns and colours: float32, neither rounded nor clipped, or integers of an
            upscaler that rounds by itself.
        """

    def unsupported_reason(self, lr_size: Size, size: Size) -> str | None:
        """Return why there is no output of (H, W) for an image of (h, w), or None if there is."""
        return None

    @checked_arguments("upscaler.upscale(image, scale=2) takes a factor")
    def __call__(self, image: np.ndarray, size: Size) -> np.ndarray:
        """Upscale (h, w, 3) uint8, uint16 or float32 to (H, W, 3) of the same dtype.

        Floats are in [0, 1]; their output is neither rounded nor clipped. Integers are rounded
        patch by patch: no float image of the whole output exists.

        Raises:
            InvalidArgument: if the image or the size is not supported.
            ExportError: if an exported program returns something else than such an output.
        """
        check_rgb(image, *_DTYPES)
        size = check_size(size)
        if reason := self.unsupported_reason(image.shape[:2], size):
            raise InvalidArgument(f"this {self.kind} {reason}")
        if not self.antialiases and any(np.less(size, image.shape[:2])):
            image = _reduced(image, size)
            if image.shape[:2] == size:
                return image
        patches = iter(self.patches(image, size))
        # An upscaler refuses what it cannot do with its first patch, before memory is taken.
        first = next(patches)
        output = np.empty((*size, 3), image.dtype)
        for rows, columns, colours in chain([first], patches):
            place = output[rows, columns]
            if colours.shape != place.shape:  # Of an exported program, which NumPy would repeat.
                raise ExportError(
                    f"this {self.kind} returned {colours.shape} in place of {place.shape}"
                )
            place[...] = converted(colours, image.dtype)
        return output

    def raw_output(self, image: np.ndarray, size: Size) -> np.ndarray:
        """Upscale to (H, W, 3) float32, neither rounded nor clipped; otherwise as a call.

        Args:
            image: (h, w, 3) uint8, uint16 or float32 in [0, 1].
            size: (H, W) of the output.
        """
        check_rgb(image, *_DTYPES)
        return self(converted(image, np.float32), size)

    @checked_arguments("a factor is scale=2")
    def upscale(
        self,
        image: Any,
        *,
        scale: float | tuple[float, float] | None = None,
        size: Size | None = None,
        long_side: int | None = None,
        short_side: int | None = None,
        megapixels: float | None = None,
        fit: str = "stretch",
        output: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        quality: int | None = None,
        max_input: float = MAX_INPUT_PIXELS / 1e6,
        max_output: float = MAX_OUTPUT_PIXELS / 1e6,
    ) -> Any:
        """Upscale an image of any kind; the output is of the same kind.

        - NumPy array, (H, W) grey or (H, W, channels): grey, grey and alpha, RGB, RGB and alpha; or
          a batch of the latter. uint8, uint16 or floats in [0, 1], and so is the output.
        - Tensor of Keras's backend: likewise.
        - Pillow image: the output has its mode, profile and EXIF, and is upright. Palettes become
          RGB, single bits grey, CMYK RGB.
        - Path of a file: the output is a Pillow image, or with `output` a file.

        Exactly one of scale, size, long_side, short_side and megapixels is given.

        Args:
            image: the image.
            scale: factor on both sides, or factors of (height, width).
            size: (H, W) in pixels.
            long_side: the longer side in pixels; the aspect ratio is preserved.
            short_side: the shorter side in pixels; likewise.
            megapixels: height x width in millions; likewise.
            fit: for a `size` of another aspect ratio: "stretch", "cover" or "contain".
            output: file to write for a path. Its path is returned.
            overwrite: bool. Whether `output` may exist already. Defaults to False.
            quality: int. 1 to 100, for lossy formats.
            max_input: the most megapixels read from a file. Defaults to 89.
            max_output: the most megapixels of an output. Defaults to 400.

        Raises:
            InvalidArgument: if it is no image, or an argument has an impossible value.
            ImageError: if a file cannot be read or written.
        """
        if size is not None:
            size = check_size(size)
        request = UpscaleRequest(
            TargetSize(scale, size, long_side, short_side, megapixels, fit),
            quality,
            max_input=max_input,
            max_output=max_output,
        )
        return adapter_for(image, output, overwrite)(image, request, self)


def _reduced(image: np.ndarray, size: Size) -> np.ndarray:
    """Reduce (h, w, 3) pixels, antialiased, along each axis where (H, W) is smaller."""
    height, width = (min(sides) for sides in zip(image.shape[:2], size, strict=True))
    renderer = BicubicRenderer(parse_memory(DEFAULT_MEMORY))
    tiles = make_tiles(image.shape[:2], (height, width), renderer.input_span, renderer.lr_pixels)
    output = np.empty((height, width, 3), image.dtype)
    for rows, columns, colours in tile_patches(renderer, tiles, image):
        output[rows, columns] = converted(colours, image.dtype)
    return output


def converted(pixels: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert pixels to uint8, uint16 or float32: the one place where outputs are rounded."""
    if pixels.dtype == dtype:
        return pixels
    floats = pixels if pixels.dtype == np.float32 else to_float(pixels)
    return floats if dtype == np.float32 else to_integers(floats, dtype)
