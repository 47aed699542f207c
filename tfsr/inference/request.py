"""What is asked of every image, and the limits that are checked before memory is taken."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import DecodedImage, check_writable_format
from tfsr.images.decoding import decode
from tfsr.images.files import Header, header_of, opened
from tfsr.inference.target_size import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS, Size, TargetSize


@dataclass(frozen=True, kw_only=True)
class PixelLimits:
    """The most megapixels of a file that is read, and of an output."""

    max_input: float = MAX_INPUT_PIXELS / 1e6
    max_output: float = MAX_OUTPUT_PIXELS / 1e6

    def __post_init__(self) -> None:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        for argument, limit, upper, why in (
            ("max_input", self.max_input, most, ", Pillow's limit against decompression bombs"),
            ("max_output", self.max_output, 1e12, ""),
        ):
            try:
                possible = 1e-6 <= limit <= upper  # NaN is not.
            except TypeError:
                possible = False
            if not possible:
                raise InvalidArgument(
                    f"must be megapixels above 0 and at most {upper:.6f}{why}; received {limit!r}",
                    argument,
                )

    @property
    def max_output_pixels(self) -> int:
        """`max_output` in pixels."""
        return round(self.max_output * 1e6)

    def check_input(self, path: str | os.PathLike[str], size: Size, frames: int = 1) -> None:
        """Check that a file's images do not have too many pixels."""
        height, width = size
        pixels = height * width * frames
        if pixels > round(self.max_input * 1e6):
            of_frames = f"{frames} frames of " if frames > 1 else ""
            raise ImageError(
                f"{path}: {of_frames}{width}x{height} is {pixels / 1e6:.4g} megapixels; the "
                f"limit is {self.max_input:.4g}: reduce it, or raise max_input"
            )

    def read(self, path: str | os.PathLike[str]) -> DecodedImage:
        """Read an image file unless it has too many pixels."""
        with opened(path) as file:
            self.check_input(path, header_of(file).size)
            return decode(file, os.fspath(path))


@dataclass(frozen=True)
class UpscaleRequest(PixelLimits):
    """What is asked of every image, within limits.

    Attributes:
        target: the size of the outputs.
        quality: 1 to 100, for lossy formats; None for their defaults.
        frames: whether all frames of an animation are upscaled, or the first alone.
    """

    target: TargetSize
    quality: int | None = None
    frames: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        quality = self.quality
        if quality is not None and not (isinstance(quality, int) and 1 <= quality <= 100):
            raise InvalidArgument(
                f"must be an integer from 1 to 100; received {quality!r}", "quality"
            )

    def count(self, header: Header) -> int:
        """Return how many images of a file are upscaled."""
        return header.frames if self.frames else 1

    def sizes(
        self, lr_size: Size, target: str | os.PathLike[str] | None = None, count: int = 1
    ) -> tuple[Size, Size]:
        """Return (H, W) at which `count` images of (h, w) are rendered, and (H, W) of the output.

        Raises:
            ImageError: if the format of the target cannot hold the output.
            InvalidArgument: if the output is too large.
        """
        most = self.max_output_pixels // count
        rendered, size = (
            self.target.rendered_size(lr_size, most),
            self.target.output_size(lr_size, most),
        )
        if target is not None:
            check_writable_format(target, size)
        return rendered, size
