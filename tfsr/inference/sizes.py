"""The size asked for: a scale, a size, a side or an area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from tfsr.errors import InvalidArgument, did_you_mean

MAX_INPUT_PIXELS = 89_478_485
"""What Pillow warns at: an image of 256 MiB in RGB."""

MAX_OUTPUT_PIXELS = 400_000_000
"""400 megapixels are 1.2 GB of 8-bit colours, twice that while a file is encoded."""

FITS = ("stretch", "cover", "contain")


@dataclass(frozen=True)
class TargetSize:
    """What size an image shall have. Exactly one of all but `fit` is given.

    Attributes:
        scale: factor on both sides, or factors of (height, width).
        size: (H, W) in pixels.
        long_side: the longer side in pixels; the other follows the image's shape.
        short_side: the shorter side in pixels; likewise.
        megapixels: height x width in millions, as near as whole pixels allow; likewise.
        fit: how an image of another shape comes to `size`: "stretch" it, "cover" all of it and cut
            off what is left over, "contain" it and leave the rest empty. The output is exactly
            `size` in each case.

    Raises:
        InvalidArgument: if not exactly one is given, or it is not a possible value.
    """

    scale: float | tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    long_side: int | None = None
    short_side: int | None = None
    megapixels: float | None = None
    fit: str = "stretch"

    def __post_init__(self) -> None:
        asked = (self.scale, self.size, self.long_side, self.short_side, self.megapixels)
        if sum(value is not None for value in asked) != 1:
            raise InvalidArgument(
                "give exactly one of --scale, --size, --long-side, --short-side and --megapixels"
            )
        if self.scale is not None and len(self._factors) not in (1, 2):
            raise InvalidArgument(f"--scale must be one number or two; got {self.scale!r}")
        for factor in self._factors:
            if not _is_positive(factor):
                raise InvalidArgument(
                    f"--scale must be a finite number above 0, for example 3.7; got {factor!r}"
                )
        if self.size is not None and min(self.size) < 1:
            height, width = self.size
            raise InvalidArgument(f"--size must be at least 1x1; got {width}x{height}")
        for option, side in (("--long-side", self.long_side), ("--short-side", self.short_side)):
            if side is not None and not _is_count(side):
                raise InvalidArgument(f"{option} must be a whole number from 1; got {side!r}")
        if self.megapixels is not None and not _is_positive(self.megapixels):
            raise InvalidArgument(
                f"--megapixels must be a finite number above 0; got {self.megapixels!r}"
            )
        if self.fit not in FITS:
            raise InvalidArgument(
                f"--fit must be one of {', '.join(FITS)}; got {self.fit!r}."
                + did_you_mean(str(self.fit), FITS)
            )
        if self.fit != "stretch" and self.size is None:
            raise InvalidArgument(f"--fit {self.fit} goes with --size; all else keeps the shape")

    @property
    def _factors(self) -> tuple[float, ...]:
        if self.scale is None:
            return ()
        return tuple(self.scale) if isinstance(self.scale, tuple | list) else (self.scale,)

    def of(self, lr_size: tuple[int, int], max_pixels: int = MAX_OUTPUT_PIXELS) -> tuple[int, int]:
        """(H, W) of the output to an image of (h, w).

        Raises:
            InvalidArgument: if that is more than so many pixels.
        """
        return self._checked(lr_size, max_pixels, self._size_of)

    def drawn(
        self, lr_size: tuple[int, int], max_pixels: int = MAX_OUTPUT_PIXELS
    ) -> tuple[int, int]:
        """(H, W) that an image of (h, w) is drawn at, before it is cut or surrounded.

        Raises:
            InvalidArgument: if that is more than so many pixels.
        """
        return self._checked(lr_size, max_pixels, self._drawn_size_of)

    def _checked(self, lr_size, max_pixels, size_of) -> tuple[int, int]:
        try:
            height, width = size_of(lr_size)
            pixels = height * width
            megapixels = pixels / 1e6
        except OverflowError:
            # Python's whole numbers grow without end, its floats do not.
            height = width = 0
            pixels, megapixels = max_pixels + 1, math.inf
        if pixels > max_pixels:
            what = f"{width}x{height} is {megapixels:.4g}" if height else "that is too many"
            raise InvalidArgument(
                f"{what} megapixels; the limit is {max_pixels / 1e6:.4g}, so ask for a "
                "smaller size or raise it with --max-output"
            )
        return height, width

    def _size_of(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        # Geometry imports Keras; a wrong argument should be told before that takes its seconds.
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

    def _drawn_size_of(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        from tfsr.geometry import output_size

        if self.size is None or self.fit == "stretch":
            return self._size_of(lr_size)
        ratios = [side / lr for side, lr in zip(self.size, lr_size, strict=True)]
        height, width = output_size(lr_size, max(ratios) if self.fit == "cover" else min(ratios))
        # A side that decides comes out exact; the other one must not miss by its rounding.
        bound = max if self.fit == "cover" else min
        return bound(height, self.size[0]), bound(width, self.size[1])


def _is_positive(value: Any) -> bool:
    number: Any = value if isinstance(value, Real) else 0
    return 0 < number < math.inf


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and int(value) >= 1


def pixels_of(megapixels: float, option: str) -> int:
    """Pixels of so many megapixels.

    Raises:
        InvalidArgument: if they are not a finite number.
    """
    try:
        return round(megapixels * 1e6)
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidArgument(
            f"{option} must be a finite number of megapixels; got {megapixels!r}"
        ) from error
