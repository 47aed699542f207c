"""Amounts of memory as people write them."""

from __future__ import annotations

import math
import re

from tfsr.errors import InvalidArgument

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_memory(text: str, option: str = "--memory") -> int:
    """Bytes of a text such as 512MiB or 1.5GiB.

    Args:
        text: what was written.
        option: where it was written, for the message.

    Raises:
        InvalidArgument: if it is no such text.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]iB|B)\s*", text, re.ASCII)
    amount = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 1 <= amount < math.inf:
        raise InvalidArgument(f"{option} must be such as 512MiB or 2GiB; got {text!r}")
    return int(amount)
