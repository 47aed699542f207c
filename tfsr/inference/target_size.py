"""The output size asked for: a scale, a size, a side or an area."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from tfsr.errors import InvalidArgument, check_choice

Size = tuple[int, int]

MAX_INPUT_PIXELS = 89_478_485
"""What Pillow warns at: an image of 256 MiB in RGB."""
MAX_OUTPUT_PIXELS = 400_000_000
"""400 megapixels are 1.2 GB of 8-bit colours, twice that while a file is encoded."""

FITS = ("stretch", "cover", "contain")


@dataclass(frozen=True)
class TargetSize:
    """The requested size of an output.

    Exactly one of scale, size, long_side, short_side and megapixels is set.

    Attributes:
        scale: factor on both sides, or factors of (height, width).
        size: (H, W) in pixels.
        long_side: the longer side in pixels; the aspect ratio is preserved.
        short_side: the shorter side in pixels; likewise.
        megapixels: height x width in millions, as near as integers allow; likewise.
        fit: how an image of another aspect ratio gets `size`: "stretch"; "cover" and crop the
            rest; "contain" and leave the rest empty.
    """

    scale: float | tuple[float, float] | None = None
    size: Size | None = None
    long_side: int | None = None
    short_side: int | None = None
    megapixels: float | None = None
    fit: str = "stretch"

    def __post_init__(self) -> None:
        given = (self.scale, self.size, self.long_side, self.short_side, self.megapixels)
        if sum(value is not None for value in given) != 1:
            raise InvalidArgument(
                "give exactly one of scale, size, long_side, short_side and megapixels"
            )
        if self.scale is not None and len(self._factors) not in (1, 2):
            raise InvalidArgument(f"must be one number or two; received {self.scale!r}", "scale")
        for factor in self._factors:
            _check_positive("scale", factor)
        if self.megapixels is not None:
            _check_positive("megapixels", self.megapixels)
        if self.size is not None and min(self.size) < 1:
            height, width = self.size
            raise InvalidArgument(f"must be at least 1x1; received {width}x{height}", "size")
        for argument, side in (("long_side", self.long_side), ("short_side", self.short_side)):
            if side is not None and not (isinstance(side, Integral) and int(side) >= 1):
                raise InvalidArgument(f"must be an integer from 1; received {side!r}", argument)
        check_choice("fit", self.fit, FITS)
        if self.fit != "stretch" and self.size is None:
            raise InvalidArgument(
                f"{self.fit} requires a size; a scale preserves the aspect ratio", "fit"
            )

    @property
    def _factors(self) -> tuple[float, ...]:
        if self.scale is None:
            return ()
        return tuple(self.scale) if isinstance(self.scale, tuple | list) else (self.scale,)

    def output_size(self, lr_size: Size, max_pixels: int = MAX_OUTPUT_PIXELS) -> Size:
        """Return (H, W) of the output of (h, w); InvalidArgument beyond `max_pixels`."""
        return _limited(self._size_of, lr_size, max_pixels)

    def rendered_size(self, lr_size: Size, max_pixels: int = MAX_OUTPUT_PIXELS) -> Size:
        """As `output_size`, before the output is cropped or padded to `size`."""
        return _limited(self._rendered_size_of, lr_size, max_pixels)

    def _size_of(self, lr_size: Size) -> Size:
        # Geometry imports Keras; a wrong argument is reported before that takes its seconds.
        from tfsr.geometry import output_size

        if self.size is not None:
            return self.size
        if self.scale is not None:
            first, last = self._factors[0], self._factors[-1]
            return output_size(lr_size[:1] * 2, first)[0], output_size(lr_size[1:] * 2, last)[0]
        if self.long_side is not None:
            return output_size(lr_size, self.long_side / max(lr_size))
        if self.short_side is not None:
            return output_size(lr_size, self.short_side / min(lr_size))
        area = (self.megapixels or 0) * 1e6
        return output_size(lr_size, math.sqrt(area / (lr_size[0] * lr_size[1])))

    def _rendered_size_of(self, lr_size: Size) -> Size:
        from tfsr.geometry import output_size

        if self.size is None or self.fit == "stretch":
            return self._size_of(lr_size)
        bound = max if self.fit == "cover" else min
        ratio = bound(side / lr for side, lr in zip(self.size, lr_size, strict=True))
        height, width = output_size(lr_size, ratio)
        # The deciding side comes out exact; the other one must not miss by its rounding.
        return bound(height, self.size[0]), bound(width, self.size[1])


def _limited(size_of: Callable[[Size], Size], lr_size: Size, max_pixels: int) -> Size:
    try:
        height, width = size_of(lr_size)
        megapixels = height * width / 1e6
        what = f"{width}x{height} is {megapixels:.4g} megapixels"
    except OverflowError:  # Of a float: Python's integers are unlimited.
        height = width = max_pixels + 1
        what = "that is too many megapixels"
    if height * width > max_pixels:
        raise InvalidArgument(
            f"{what}; the limit is {max_pixels / 1e6:.4g}: choose a smaller size, or raise "
            "max_output"
        )
    return height, width


def _check_positive(argument: str, value: Any) -> None:
    number: Any = value if isinstance(value, Real) else 0
    if not 0 < number < math.inf:
        raise InvalidArgument(f"must be a finite number above 0; received {value!r}", argument)
