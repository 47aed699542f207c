"""Where a file of a batch lies: a path of this machine, or a URL."""

from __future__ import annotations

import os
import re
from pathlib import Path

Location = Path | str
"""A path, or the URL of a file elsewhere, as a `str`."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_url(text: str | os.PathLike[str]) -> bool:
    """Whether a text is a URL, and no path."""
    return _URL.match(os.fspath(text)) is not None


def parse_location(text: str | os.PathLike[str]) -> Location:
    """Return the path or the URL that a text names; file:// URLs are paths."""
    name = os.fspath(text)
    if name.lower().startswith("file://"):
        return Path(name.partition("://")[2])
    return name if is_url(name) else Path(name)
