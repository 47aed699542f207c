"""Parsers of sizes, scales, boxes and durations, which raise InvalidArgument. Width first."""

from __future__ import annotations

import math
import re

from tfsr.errors import InvalidArgument


def parse_size(text: str, argument: str = "size") -> tuple[int, int]:
    """Return (H, W) of "WxH"."""
    match = re.fullmatch(r"(\d{1,9})[xX](\d{1,9})", text.strip())
    if not match:
        raise InvalidArgument(
            f"must be WIDTHxHEIGHT, for example 237x173; received {text!r}", argument
        )
    width, height = int(match[1]), int(match[2])
    return height, width


def parse_lr_size(text: str) -> tuple[int, int]:
    """Return (h, w) of "WxH"."""
    return parse_size(text, "lr_size")


def parse_sizes(text: str) -> list[tuple[int, int]]:
    """Return the (H, W) of "WxH,WxH"."""
    return [parse_size(part, "sizes") for part in text.split(",")]


def parse_scale(text: str) -> tuple[float, float]:
    """Return the factors of (height, width) of 2.7, or of 2x3 for width by height."""
    factors = _numbers(text, "[xX]")
    if len(factors) not in (1, 2):
        raise InvalidArgument(
            f"must be a number such as 2.7, or WIDTHxHEIGHT such as 2x3; received {text!r}", "scale"
        )
    return factors[-1], factors[0]


def parse_scales(text: str) -> list[float]:
    """Return the numbers of a text such as 2,3.7."""
    scales = _numbers(text, ",")
    if not scales or not all(0 < scale < math.inf for scale in scales):
        raise InvalidArgument(f"must be numbers such as 2,3.7; received {text!r}", "scales")
    return scales


def parse_strengths(text: str) -> list[float]:
    """Return the strengths of a text such as 0,0.5,1, each once."""
    strengths = _numbers(text, ",")
    if not strengths or not all(0 <= strength <= 1 for strength in strengths):
        raise InvalidArgument(
            f"must be numbers from 0 to 1, such as 0,0.5,1; received {text!r}", "strengths"
        )
    return list(dict.fromkeys(strengths))


def parse_duration(text: str, argument: str = "max_time") -> float:
    """Return the seconds of a text such as 9m, 1h30m, 45s or 540."""
    match = re.fullmatch(
        r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s?)?", text.strip().lower(), re.ASCII
    )
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise InvalidArgument(
            f"must be such as 9m, 1h30m or 540 (seconds); received {text!r}", argument
        )
    return float(total)


def parse_box(text: str, argument: str = "box") -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of "X,Y,W,H"."""
    match = re.fullmatch(",".join([r"\s*(\d{1,9})\s*"] * 4), text)
    if not match:
        raise InvalidArgument(
            f"must be X,Y,WIDTH,HEIGHT in integer pixels, such as 40,25,96,96; received {text!r}",
            argument,
        )
    left, top, width, height = map(int, match.groups())
    return top, left, height, width


def parse_inset(text: str) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the "X,Y,W,H" of an inset."""
    return parse_box(text, "inset")


def parse_eyes(text: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ((row, column), (row, column)) of "X1,Y1,X2,Y2"."""
    numbers = _numbers(text, ",")
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise InvalidArgument(
            f"must be X1,Y1,X2,Y2 in pixels, such as 75.5,121,139.5,118; received {text!r}", "eyes"
        )
    return (numbers[1], numbers[0]), (numbers[3], numbers[2])


def _numbers(text: str, separator: str) -> list[float]:
    """The numbers of a text; none if a part is no number."""
    try:
        return [float(part) for part in re.split(separator, text)] if "_" not in text else []
    except ValueError:
        return []
