"""A preset as a function from image to image, of any size."""

from __future__ import annotations

import operator
import os
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry import make_tiles
from tfsr.images import to_float
from tfsr.images.pixel_types import check_rgb, to_integers
from tfsr.images.resizing import check_size
from tfsr.inference.adapters import upscale_any
from tfsr.inference.memory import parse_memory
from tfsr.inference.request import Request
from tfsr.inference.sizes import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS, TargetSize, pixels_of
from tfsr.inference.spelling import in_python
from tfsr.models import AnyModel, Bicubic, folded, with_precision
from tfsr.presets import DEFAULT, from_preset
from tfsr.rendering import Renderer, SelfEnsembleRenderer

DEFAULT_MEMORY = 2 * 2**30
"""A constant, not read from the machine: the same command gives the same bytes everywhere."""


class Upscaler:
    """Upscales images of any kind and size, one after the other.

    What does not fit into the budget is drawn in tiles that overlap by all that an output depends
    on, so that tiles do not show: with EDSR the output is that of the whole image to 1e-5, with
    RDN to what docs/performance.md says. Coordinates are those of the whole image.

    Compiled functions, and what depends on an image's size alone, are kept between images.

    Args:
        preset: a preset's name or directory, or a model whose weights will not change any more.
            Defaults to the preset that the command line takes.
        memory: what to work in, beside the program itself and the two images: bytes, or a text
            such as "512MiB". Defaults to 2 GiB.
        precision: str. "float32", or "bfloat16" for matrix products of half the width, on machines
            that have them: faster for most decoders, 55 dB or more from the exact output. Defaults
            to "float32".
        self_ensemble: bool. Whether answers are the mean over the image and its mirror image, or,
            of a model without global coordinates, over all flips and turns: 2 or 8 times the work
            for a slightly better image. Defaults to False.
        strength: float. In [0, 1], for a preset with a clean twin: 0 gives the twin's output, 1
            that of the preset, which takes out most of what harmed the image; see
            `tfsr.presets.interpolate`. Defaults to None: the preset as it is.

    Raises:
        InvalidArgument: if the memory is not positive, the precision unknown, the strength not in
            [0, 1], or given with a model.
        PresetError: if there is no such preset, it is damaged, or has no clean twin.

    Example:
        upscaler = tfsr.Upscaler(memory="512MiB")
        for name in ("a.jpg", "b.jpg"):
            upscaler.upscale(name, scale=3.7, output=f"large/{name}")
    """

    depth = 16
    """The most bits a channel that it keeps."""

    def __init__(
        self,
        preset: str | os.PathLike[str] | AnyModel | Bicubic = DEFAULT,
        memory: int | str = DEFAULT_MEMORY,
        precision: str = "float32",
        self_ensemble: bool = False,
        strength: float | None = None,
    ) -> None:
        self.memory = _bytes_of(memory)
        if isinstance(preset, str | os.PathLike):
            model: Any = folded(from_preset(preset, strength))
        elif strength is not None:
            raise InvalidArgument(
                "strength goes with the name or directory of a preset; interpolate models with "
                "tfsr.presets.interpolate"
            )
        else:
            # Not folded: a training run goes on changing its weights.
            model = preset
        if not isinstance(model, AnyModel | Bicubic):
            raise InvalidArgument(
                "preset must be a preset's name, its directory or a model; "
                f"got {type(model).__name__}"
            )
        self.model = with_precision(model, precision)
        self.renderer: Renderer = (
            SelfEnsembleRenderer(self.model, self.memory)
            if self_ensemble
            else self.model.renderer(self.memory)
        )

    def upscale(
        self,
        image: Any,
        *,
        scale: float | tuple[float, float] | None = None,
        size: tuple[int, int] | None = None,
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
        - Pillow's image: the output has its mode, profile and EXIF, and is upright. What a model
          cannot draw becomes what it can: palettes RGB, single bits grey, CMYK RGB.
        - Path of a file: the output is Pillow's image, or with `output` a file.

        Exactly one of the sizes is given.

        Args:
            image: the image.
            scale: factor on both sides, or factors of (height, width).
            size: (H, W) in pixels.
            long_side: the longer side in pixels; the other follows the image's shape.
            short_side: the shorter side in pixels; likewise.
            megapixels: height x width in millions; likewise.
            fit: how an image of another shape comes to `size`: "stretch", "cover" or "contain".
            output: the file to write for a path, as `tfsr upscale` does; it is answered as a Path.
            overwrite: bool. Whether `output` may be there already. Defaults to False.
            quality: int. 1 to 100, for the formats of `output` that lose something.
            max_input: the most megapixels that are read from a file. Defaults to 89.
            max_output: the most megapixels of an output. Defaults to 400.

        Raises:
            InvalidArgument: if it is no image, or an argument has no possible value.
            ImageError: if a file cannot be read or written.
        """
        if size is not None:
            size = check_size(size)
        with in_python():
            request = Request(
                TargetSize(scale, size, long_side, short_side, megapixels, fit),
                quality,
                max_input=pixels_of(max_input, "--max-input"),
                max_output=pixels_of(max_output, "--max-output"),
            )
            return upscale_any(image, request, self, output, overwrite)

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8, uint16 or float32 to (H, W, 3) of the same type, H and W being `size`.

        Floats are in [0, 1]; their output is neither rounded nor clipped.

        Raises:
            InvalidArgument: if it is no such image, the size is impossible, or the memory is not
                enough for the smallest tile.
        """
        check_rgb(image, np.uint8, np.uint16, np.float32)
        height, width = check_size(size)
        renderer = self.renderer
        try:
            tiles = make_tiles(
                image.shape[:2], (height, width), renderer.input_span, renderer.lr_pixels
            )
        except InvalidArgument as error:
            raise InvalidArgument(
                f"memory of {self.memory / 2**20:.4g} MiB is not enough for this model: {error}"
            ) from error
        output = np.empty((height, width, 3), image.dtype)
        floats = image.dtype == np.float32
        for tile in tiles:
            lr = image[slice(*tile.lr_rows), slice(*tile.lr_columns)]
            lr = lr if floats else to_float(lr)
            target = output[slice(*tile.rows), slice(*tile.columns)]
            for rows, columns, colours in renderer.render(lr[None], tile):
                answered = colours[0]
                target[rows, columns] = answered if floats else to_integers(answered, image.dtype)
        return output


def upscale(
    image: Any,
    *,
    preset: str | os.PathLike[str] = DEFAULT,
    memory: int | str = DEFAULT_MEMORY,
    precision: str = "float32",
    self_ensemble: bool = False,
    strength: float | None = None,
    **options: Any,
) -> Any:
    """Upscale one image; for several, an `Upscaler` loads its preset once.

    Args:
        image: an array, a tensor, Pillow's image, or the path of a file.
        preset: as of `Upscaler`.
        memory: as of `Upscaler`.
        precision: as of `Upscaler`.
        self_ensemble: as of `Upscaler`.
        strength: as of `Upscaler`.
        options: those of `Upscaler.upscale`: scale, size and so on.

    Returns:
        As `Upscaler.upscale`: what is of the image's kind.

    Raises:
        InvalidArgument, ImageError, PresetError: as `Upscaler` and its `upscale`.

    Example:
        large = tfsr.upscale("face.jpg", scale=3.7)
    """
    return Upscaler(preset, memory, precision, self_ensemble, strength).upscale(image, **options)


def _bytes_of(memory: int | str) -> int:
    if isinstance(memory, str):
        return parse_memory(memory, "memory")
    try:
        count = operator.index(memory)
    except TypeError as error:
        raise InvalidArgument(
            f"memory must be a whole number of bytes, or such as '512MiB'; got {memory!r}"
        ) from error
    if count < 1:
        raise InvalidArgument(f"memory must be a positive number of bytes; got {count}")
    return count
