"""What options say: sizes, scales and memory as the command line writes them."""

from __future__ import annotations

import math
import re

from tfsr.errors import InvalidArgument
from tfsr.inference.memory import parse_memory

__all__ = ["parse_memory", "parse_scale", "parse_scales", "parse_size"]


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


def parse_scale(text: str, option: str = "--scale") -> tuple[float, float]:
    """Factors of (height, width) of a text such as 2.7, or 2x3 for width by height.

    Raises:
        InvalidArgument: if it is neither one number nor two with an x between them.
    """
    parts = re.split("[xX]", text.strip())
    try:
        factors = [float(part) for part in parts]
    except ValueError:
        factors = []
    if len(factors) not in (1, 2) or "_" in text:
        raise InvalidArgument(
            f"{option} must be a number such as 2.7, or WIDTHxHEIGHT such as 2x3; got {text!r}"
        )
    return factors[-1], factors[0]


def parse_scales(text: str, option: str = "--scale") -> list[float]:
    """The numbers of a text such as 2,3.7.

    Args:
        text: what was written.
        option: where it was written, for the message.

    Raises:
        InvalidArgument: if it is not finite numbers above 0 with commas between them.
    """
    try:
        scales = [float(part) for part in text.split(",")]
    except ValueError:
        scales = [0.0]
    if not all(0 < scale < math.inf for scale in scales):
        raise InvalidArgument(f"{option} must be numbers such as 2,3.7; got {text!r}")
    return scales
