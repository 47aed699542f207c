"""Checks, before any work, that its output files can be written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tfsr.errors import InvalidArgument


def check_outputs(paths: Iterable[Path], overwrite: bool) -> None:
    """Check that files can be written, each once, and that none is replaced unasked.

    Pipes and terminals are written into.

    Raises:
        InvalidArgument: naming the file that cannot.
    """
    from tfsr.images.atomic import takes_data

    seen = set()
    for path in paths:
        if takes_data(path):
            continue
        if os.path.isdir(path):
            raise InvalidArgument(f"{path}: is a folder; name a file in it")
        if not os.path.isdir(path.parent) or not os.access(path.parent, os.W_OK | os.X_OK):
            raise InvalidArgument(
                f"{path}: cannot be written: its folder must exist and be writable"
            )
        if os.path.realpath(path) in seen:
            raise InvalidArgument(f"{path}: would be written twice; give each file a name")
        seen.add(os.path.realpath(path))
        if os.path.lexists(path) and not overwrite:
            raise InvalidArgument(f"{path}: exists; --overwrite replaces it")


def check_not_overwritten(images: Iterable[Path | None], paths: Iterable[Path]) -> None:
    """Check that no image that is read would be overwritten."""
    read = {os.path.realpath(image) for image in images if image is not None}
    for path in paths:
        if os.path.realpath(path) in read:
            raise InvalidArgument(f"{path}: would overwrite an image that is read")
