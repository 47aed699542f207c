"""A preset is a directory: config.json, model.weights.h5 and metadata.json.

`metadata.json` holds where the weights come from (data and its licence, recipe, seed, steps), what
they were measured to reach, and the sha256 of the other two files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfsr.errors import PresetError, did_you_mean

if TYPE_CHECKING:
    # Models import Keras, which nobody who only looks at presets should wait for.
    from tfsr.models import AnyModel

DEFAULT = "arasfsr-compact-faces-v1"
"""The preset that the command line uses when none is named."""

SHIPPED = Path(__file__).parent
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"


@dataclass(frozen=True)
class CheckedFile:
    """A file of a preset.

    Attributes:
        path: where it is.
        bytes: its length.
        sha256: what the metadata says of it.
        matches: whether that is so.
    """

    path: Path
    bytes: int
    sha256: str
    matches: bool


def names() -> list[str]:
    """The presets that ship with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{METADATA}"))


def check_files(preset: str | os.PathLike[str]) -> list[CheckedFile]:
    """Compare a preset's configuration and weights with what its metadata says of them.

    Raises:
        PresetError: if there is no such preset, a file is missing or lies outside the directory, or
            the metadata does not describe these two.
    """
    directory = find(preset)
    checksums = read_metadata(preset).get("sha256")
    if not isinstance(checksums, Mapping) or set(checksums) != {CONFIG, WEIGHTS}:
        raise PresetError(
            f"{directory / METADATA}: 'sha256' must name {CONFIG} and {WEIGHTS}, nothing else"
        )
    paths = [_inside(directory, name) for name in (CONFIG, WEIGHTS)]
    return [
        CheckedFile(
            *(path, path.stat().st_size, str(checksums[path.name])),
            matches=_sha256(path) == checksums[path.name],
        )
        for path in paths
    ]


def read_metadata(preset: str | os.PathLike[str]) -> dict[str, Any]:
    """The metadata of a preset.

    Raises:
        PresetError: if there is no such preset, or its metadata cannot be read.
    """
    directory = find(preset)
    return read_json(_inside(directory, METADATA))


def save_preset(
    model: AnyModel, directory: str | os.PathLike[str], metadata: Mapping[str, Any]
) -> None:
    """Write a preset. `metadata.json` comes last: a directory that has it is whole.

    Args:
        model: whose configuration and weights are kept; neither optimiser nor dtype policy is.
        directory: made if it is not there.
        metadata: plain data; "sha256" is added.

    Raises:
        PresetError: if the directory cannot be written.
    """
    from tfsr.models import from_config

    directory = Path(directory)
    whole = model.get_config()
    parts = ("encoder", "decoder", "scale")
    config: dict[str, Any] = {key: whole[key] for key in parts if key in whole}
    # A model of its own: saving a compiled one would keep its optimiser too.
    bare = from_config(config)
    bare.set_weights(model.get_weights())
    temporary = directory / f"part.{WEIGHTS}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        bare.save_weights(temporary)
        os.replace(temporary, directory / WEIGHTS)
        _write_json(directory / CONFIG, config)
        checksums = {name: _sha256(directory / name) for name in (CONFIG, WEIGHTS)}
        _write_json(directory / METADATA, {**metadata, "sha256": checksums})
    except OSError as error:
        reason = error.strerror or error
        raise PresetError(f"{directory}: cannot be written: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def check_new(directory: str | os.PathLike[str]) -> None:
    """Raise unless a preset can be made there without replacing anything.

    Raises:
        PresetError: if something is there that is no empty directory, or nothing can be.
    """
    name = os.fspath(directory)
    try:
        os.lstat(name)
    except FileNotFoundError:
        parent = next(path for path in Path(name).absolute().parents if os.path.lexists(path))
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PresetError(f"{name}: cannot be written: {parent} may not be changed") from None
    except OSError as error:
        raise PresetError(f"{name}: cannot be written: {error.strerror}") from error
    else:
        if not os.path.isdir(name) or os.listdir(name):
            raise PresetError(f"{name}: is there already; name another directory")


def find(preset: str | os.PathLike[str]) -> Path:
    """The directory of a preset: of a name, itself, or the best weights of a training run.

    Raises:
        PresetError: if there is no such preset.
    """
    name = os.fspath(preset)
    if name in names():
        return SHIPPED / name
    # Of a training run, the best weights so far.
    for directory in (Path(name), Path(name) / "best"):
        if os.path.isfile(directory / METADATA):
            return directory
    directory = Path(name)
    if os.path.isdir(directory):
        raise PresetError(f"{directory}: is no preset, it has no {METADATA}")
    raise PresetError(
        f"unknown preset {name!r}; known: {', '.join(names())}, or a directory."
        + did_you_mean(name, names())
    )


def _inside(directory: Path, name: str) -> Path:
    """The file, if it really lies in the directory: a link must not lead out of it."""
    path = directory / name
    if path.resolve().parent != directory.resolve():
        raise PresetError(f"{path}: leads out of the preset's directory")
    if not os.path.isfile(path):
        raise PresetError(f"{path}: is missing")
    return path


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise PresetError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file.

    Raises:
        PresetError: if the file cannot be read, or holds anything else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    # RecursionError: brackets in brackets, thousands deep.
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise PresetError(f"{path}: must hold a JSON object")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f"part.{path.name}")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)
