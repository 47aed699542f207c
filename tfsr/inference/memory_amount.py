"""Amounts of memory as people write them."""

from __future__ import annotations

import math
import re
from numbers import Integral

from tfsr.errors import InvalidArgument

DEFAULT_MEMORY = 2 * 2**30
"""A constant, not read from the machine: the same command gives the same bytes everywhere."""

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_memory(memory: int | str, argument: str = "memory") -> int:
    """Return the bytes of a number, or of a text such as 512MiB or 1.5GiB.

    Args:
        memory: what was received.
        argument: its name, for the message.

    Raises:
        InvalidArgument: if it is not a positive amount of memory.
    """
    amount = 0.0
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]iB|B)\s*", memory, re.ASCII)
        amount = float(match[1]) * _UNITS[match[2]] if match else 0
    elif isinstance(memory, Integral):
        amount = int(memory)
    if not 1 <= amount < math.inf:
        raise InvalidArgument(
            f"must be a positive number of bytes, or such as 512MiB or 2GiB; received {memory!r}",
            argument,
        )
    return int(amount)
