"""Clean twins: the presets of strength 0, named by the metadata of those of strength 1."""

from __future__ import annotations

import os
from pathlib import Path

from tfsr.errors import PresetError
from tfsr.presets.hub import is_handle
from tfsr.presets.store import METADATA, find, names, read_metadata


def clean_twin(preset: str | os.PathLike[str]) -> str:
    """Return the clean twin of a preset: a shipped preset's name, or a directory.

    Args:
        preset: a name, a preset's directory, or a training run's directory.

    Raises:
        PresetError: if there is no such preset, or it names no clean twin that exists.
    """
    directory = find(preset)
    clean = read_metadata(preset).get("clean")
    if not clean:
        others = ", ".join(name for name in names() if read_metadata(name).get("clean"))
        raise PresetError(
            f"{os.fspath(preset)}: takes no strength: its metadata names no clean twin; "
            + (f"presets that take one: {others}" if others else "no shipped preset does")
        )
    if not isinstance(clean, str):
        raise PresetError(
            f"{directory / METADATA}: 'clean' must be a preset's name or a path relative to "
            f"{directory}; received {clean!r}"
        )
    if clean in names() or is_handle(clean):
        return clean
    # Links are resolved first, as in `twin_reference`: "../clean" of a linked preset lies beside
    # the preset itself, not beside the link.
    twin = os.path.realpath(directory / clean)
    try:
        find(twin)
    except PresetError as error:
        raise PresetError(
            f"{directory / METADATA}: 'clean' names {clean!r}, but there is no preset {twin}"
        ) from error
    return twin


def twin_reference(clean: str | os.PathLike[str], directory: str | os.PathLike[str]) -> str:
    """Return the "clean" entry for the metadata of a preset that will be in `directory`.

    It is a shipped preset's name, or a path relative to `directory`, with slashes.

    Raises:
        PresetError: if there is no preset `clean`.
    """
    find(clean)
    name = os.fspath(clean)
    if name in names() or is_handle(name):
        return name
    return Path(os.path.relpath(os.path.realpath(name), os.path.realpath(directory))).as_posix()
