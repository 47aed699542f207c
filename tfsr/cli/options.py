"""What options say: sizes, scales and memory as the command line writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tfsr.errors import InvalidArgument

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@contextmanager
def usage() -> Iterator[None]:
    """Turn what is wrong with an option into a usage error: exit code 2."""
    try:
        yield
    except InvalidArgument as error:
        raise typer.BadParameter(str(error)) from error


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


def parse_box(text: str, option: str) -> tuple[int, int, int, int]:
    """(x, y, width, height) of a text such as 40,30,64,64.

    Raises:
        InvalidArgument: if the text is not four whole numbers with commas between them.
    """
    match = re.fullmatch(r"\s*(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})\s*", text, re.ASCII)
    if not match:
        raise InvalidArgument(
            f"{option} must be X,Y,WIDTH,HEIGHT in pixels, for example 40,30,64,64; got {text!r}"
        )
    x, y, width, height = map(int, match.groups())
    return x, y, width, height


def parse_limits(max_input: float | None, max_output: float | None) -> dict[str, int]:
    """Pixels of the megapixels that --max-input and --max-output say, of those that were given.

    Raises:
        InvalidArgument: if one is no finite number.
    """
    limits = {"max_input": max_input, "max_output": max_output}
    try:
        return {name: round(most * 1e6) for name, most in limits.items() if most is not None}
    except (OverflowError, ValueError) as error:
        raise InvalidArgument("--max-input and --max-output must be finite numbers") from error
