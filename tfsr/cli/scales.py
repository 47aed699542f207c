"""Scales, as the command line writes them."""

from __future__ import annotations

import math

from tfsr.errors import InvalidArgument


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
