"""How large images may be, looked at before memory is taken."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images.files import Header, read_header
from tfsr.inference.sizes import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most pixels that are read and drawn.

    Attributes:
        max_input: the most pixels that are read from a file.
        max_output: the most pixels that are written to one.

    Raises:
        InvalidArgument: if one is not possible.
    """

    max_input: int = MAX_INPUT_PIXELS
    max_output: int = MAX_OUTPUT_PIXELS

    def __post_init__(self) -> None:
        bombs = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        if not 1 <= self.max_input <= bombs:
            raise InvalidArgument(
                f"--max-input must be above 0 and at most {bombs / 1e6:.6f} megapixels, beyond "
                f"which Pillow suspects a decompression bomb; got {self.max_input / 1e6:.6g}"
            )
        if self.max_output < 1:
            raise InvalidArgument(
                f"--max-output must be above 0 megapixels; got {self.max_output / 1e6:.6g}"
            )

    def header(self, source: str | os.PathLike[str], frames: bool = False) -> Header:
        """A file's header.

        Args:
            source: the file.
            frames: whether all images of an animation are read, and not the first alone.

        Raises:
            ImageError: if it cannot be read, or tells of too many pixels.
        """
        header = read_header(source)
        height, width = header.size
        count = header.frames if frames else 1
        pixels = height * width * count
        if pixels > self.max_input:
            of_frames = f"{count} frames of " if count > 1 else ""
            raise ImageError(
                f"{source}: {of_frames}{width}x{height} is {pixels / 1e6:.4g} megapixels; the "
                f"limit is {self.max_input / 1e6:.4g}: reduce it, or raise that with --max-input"
            )
        return header
