"""Messages that name options as the command line does, for those who write Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tfsr.errors import TfsrError

_OPTIONS = (
    *("scale", "size", "long-side", "short-side", "megapixels", "fit"),
    *("quality", "max-input", "max-output"),
)


@contextmanager
def in_python() -> Iterator[None]:
    """Let errors say long_side where they would say --long-side."""
    try:
        yield
    except TfsrError as error:
        line = re.sub(
            rf"(?<!\S)--({'|'.join(_OPTIONS)})\b",
            lambda match: match[1].replace("-", "_"),
            str(error),
        )
        if line == str(error):
            raise
        raise type(error)(line) from None
