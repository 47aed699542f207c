"""Which presets take a strength: those whose metadata name a clean twin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfsr.errors import PresetError
from tfsr.presets.store import METADATA, find, names, read_metadata


def has_twin(preset: str | os.PathLike[str]) -> bool:
    """Whether a preset takes a strength: whether its metadata names a clean twin.

    Raises:
        PresetError: if there is no such preset, or its metadata cannot be read.
    """
    return bool(read_metadata(preset).get("clean"))


def clean_twin(preset: str | os.PathLike[str]) -> str:
    """The preset of strength 0, which the metadata's "clean" names.

    Args:
        preset: a name, a preset's directory, or the directory of a training run.

    Returns:
        A shipped preset's name, or a directory.

    Raises:
        PresetError: if there is no such preset, it names no clean twin, or one that is not there.

    Example:
        >>> tfsr.presets.clean_twin("arasfsr-compact-faces-v1")
        PresetError: arasfsr-compact-faces-v1: takes no strength: ...
    """
    directory = find(preset)
    clean = read_metadata(preset).get("clean")
    if not clean:
        others = [name for name in names() if has_twin(name)]
        raise PresetError(
            f"{os.fspath(preset)}: takes no strength: its metadata names no clean twin; "
            + (
                f"presets that take one: {', '.join(others)}"
                if others
                else "no shipped preset does"
            )
        )
    if not isinstance(clean, str):
        raise PresetError(
            f"{directory / METADATA}: 'clean' must be a preset's name or a path relative to "
            f"{directory}; received {clean!r}"
        )
    if clean in names():
        return clean
    # Links are followed first, as `reference` does: "../clean" of a linked preset lies beside the
    # preset itself, not beside the link.
    twin = os.path.realpath(directory / clean)
    try:
        find(twin)
    except PresetError as error:
        raise PresetError(
            f"{directory / METADATA}: 'clean' names {clean!r}, but there is no preset {twin}"
        ) from error
    return twin


def reference(clean: str | os.PathLike[str], directory: str | os.PathLike[str]) -> str:
    """What the metadata of a preset in `directory` says of its clean twin.

    Args:
        clean: a preset's name, its directory, or that of a training run.
        directory: where the metadata will be. It need not exist.

    Returns:
        A shipped preset's name, or a path relative to `directory`, with slashes.

    Raises:
        PresetError: if there is no preset `clean`.
    """
    find(clean)
    name = os.fspath(clean)
    if name in names():
        return name
    return Path(os.path.relpath(os.path.realpath(name), os.path.realpath(directory))).as_posix()


def described_twin(metadata: Mapping[str, Any]) -> str | None:
    """What metadata say of a clean twin; None where that is nothing, or no text."""
    clean = metadata.get("clean")
    return clean if clean and isinstance(clean, str) else None
