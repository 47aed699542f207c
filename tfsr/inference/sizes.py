"""The size asked for: a scale, a size, or a longest side."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tfsr.errors import InvalidArgument

# 400 megapixels are 1.2 GB of 8-bit colours, twice that while a file is encoded.
MAX_OUTPUT_PIXELS = 400_000_000


_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_memory(text: str, option: str = "--memory") -> int:
    """Bytes of a text such as 512MiB or 1.5GiB.

    Raises:
        InvalidArgument: if it is no such text.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]iB|B)\s*", text, re.ASCII)
    amount = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 1 <= amount < math.inf:
        raise InvalidArgument(f"{option} must be such as 512MiB or 2GiB; got {text!r}")
    return int(amount)


@dataclass(frozen=True)
class TargetSize:
    """What size a picture shall have. Exactly one of the three is given.

    Attributes:
        scale: factor on both sides.
        size: (H, W) in pixels.
        long_side: the longer side in pixels; the other follows the picture's shape.

    Raises:
        InvalidArgument: if not exactly one is given, or it is not a possible value.
    """

    scale: float | None = None
    size: tuple[int, int] | None = None
    long_side: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.scale, self.size, self.long_side) if value is not None]
        if len(given) != 1:
            raise InvalidArgument("give exactly one of --scale, --size and --long-side")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise InvalidArgument(
                f"--scale must be a finite number above 0, for example 3.7; got {self.scale}"
            )
        if self.size is not None and min(self.size) < 1:
            height, width = self.size
            raise InvalidArgument(f"--size must be at least 1x1; got {width}x{height}")
        if self.long_side is not None and self.long_side < 1:
            raise InvalidArgument(f"--long-side must be at least 1; got {self.long_side}")

    def of(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        """(H, W) for a picture of (h, w).

        Raises:
            InvalidArgument: if that is more than 400 megapixels.
        """
        # Geometry imports Keras; a wrong argument should be told before that takes its seconds.
        from tfsr.geometry import output_size

        try:
            if self.size is not None:
                height, width = self.size
            elif self.scale is not None:
                height, width = output_size(lr_size, self.scale)
            else:
                height, width = output_size(lr_size, (self.long_side or 0) / max(lr_size))
            megapixels = height * width / 1e6
        except OverflowError:
            # Python's whole numbers grow without end, its floats do not.
            height = width = 0
            megapixels = math.inf
        if megapixels * 1e6 > MAX_OUTPUT_PIXELS:
            what = f"{width}x{height} is {megapixels:.4g}" if height else "that is too many"
            raise InvalidArgument(
                f"{what} megapixels; the limit is {MAX_OUTPUT_PIXELS / 1e6:.0f}, so ask for a "
                "smaller size"
            )
        return height, width


def parse_size(text: str, option: str = "--size") -> tuple[int, int]:
    """(H, W) of "WxH", as the command line writes sizes.

    Args:
        text: what was written.
        option: where it was written, for the message.

    Raises:
        InvalidArgument: if the text is not two whole numbers with an x between them.
    """
    match = re.fullmatch(r"(\d{1,9})[xX](\d{1,9})", text.strip())
    if not match:
        raise InvalidArgument(f"{option} must be WIDTHxHEIGHT, for example 237x173; got {text!r}")
    width, height = int(match[1]), int(match[2])
    return height, width
