"""What options say: sizes, scales, memory and places as the command line writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tfsr.errors import InvalidArgument
from tfsr.inference.memory import parse_memory
from tfsr.inference.sizes import pixels_of

__all__ = [
    "parse_box",
    "parse_duration",
    "parse_eyes",
    "parse_limits",
    "parse_memory",
    "parse_scale",
    "parse_scales",
    "parse_size",
    "usage",
]


@contextmanager
def usage() -> Iterator[None]:
    """Turn what is wrong with an option into a usage error: exit code 2."""
    try:
        yield
    except InvalidArgument as error:
        raise typer.BadParameter(str(error)) from error


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


def parse_duration(text: str, option: str = "--max-time") -> float:
    """Seconds of a text such as 9m, 1h30m, 45s or 540.

    Raises:
        InvalidArgument: if it is no such text, or no time at all.
    """
    match = re.fullmatch(
        r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s?)?", text.strip().lower(), re.ASCII
    )
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise InvalidArgument(f"{option} must be such as 9m, 1h30m or 540 (seconds); got {text!r}")
    return float(total)


def parse_box(text: str, option: str = "--box") -> tuple[int, int, int, int]:
    """(top, left, height, width) of "X,Y,W,H", as the command line writes boxes.

    Raises:
        InvalidArgument: if the text is not four whole numbers with commas between them.
    """
    match = re.fullmatch(",".join([r"\s*(\d{1,9})\s*"] * 4), text)
    if not match:
        raise InvalidArgument(
            f"{option} must be X,Y,WIDTH,HEIGHT in whole pixels, such as 40,25,96,96; got {text!r}"
        )
    left, top, width, height = (int(number) for number in match.groups())
    return top, left, height, width


def parse_eyes(
    text: str, option: str = "--eyes"
) -> tuple[tuple[float, float], tuple[float, float]]:
    """((row, column), (row, column)) of "X1,Y1,X2,Y2", as the command line writes two eyes.

    Raises:
        InvalidArgument: if the text is not four finite numbers with commas between them.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers) or "_" in text:
        raise InvalidArgument(
            f"{option} must be X1,Y1,X2,Y2 in pixels, such as 75.5,121,139.5,118; got {text!r}"
        )
    return (numbers[1], numbers[0]), (numbers[3], numbers[2])


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


def parse_limits(max_input: float | None, max_output: float | None) -> dict[str, int]:
    """Pixels of the megapixels that --max-input and --max-output say, of those that were given.

    Raises:
        InvalidArgument: if one is no finite number.
    """
    limits = {"max_input": max_input, "max_output": max_output}
    return {
        name: pixels_of(most, f"--{name.replace('_', '-')}")
        for name, most in limits.items()
        if most is not None
    }
