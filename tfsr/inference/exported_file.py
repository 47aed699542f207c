"""Exported files are read whole, within a limit."""

from __future__ import annotations

from pathlib import Path

from tfsr.errors import ExportError
from tfsr.regular_files import read_regular

# The largest published encoder has 88 MB of weights.
_MAX_BYTES = 2**29


def read_exported(path: Path) -> bytes:
    """Return the content of an exported file.

    Raises:
        ExportError: if it cannot be read, is no regular file, or is too large.
    """
    try:
        return read_regular(path, _MAX_BYTES)
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror or error}") from error
