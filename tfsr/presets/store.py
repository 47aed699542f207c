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

_SHIPPED = Path(__file__).parent
_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"


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
    return sorted(path.parent.name for path in _SHIPPED.glob(f"*/{_METADATA}"))


def from_preset(preset: str | os.PathLike[str]) -> AnyModel:
    """The model of a preset: one that ships, by name, or any directory of the same form.

    Args:
        preset: a name, as `names` lists them, a directory, or the directory of a training run,
            whose best weights are then meant.

    Raises:
        PresetError: if there is no such preset, a file is missing or is not the one that the
            metadata's sha256 describes, or a file lies outside the directory.
    """
    from tfsr.models import from_config

    directory = _directory(preset)
    for file in check_files(preset):
        if not file.matches:
            raise PresetError(
                f"{file.path}: is not the file that {_METADATA} describes (sha256); "
                "copy the preset again"
            )
    config = _read_json(directory / _CONFIG)
    try:
        model = from_config(config)
    # Here and below: files that were changed, and their checksums too, make Keras and HDF5 raise
    # whatever they meet.
    except Exception as error:
        raise PresetError(f"{directory / _CONFIG}: describes no model: {_reason(error)}") from error
    try:
        model.load_weights(directory / _WEIGHTS)
    except Exception as error:
        raise PresetError(
            f"{directory / _WEIGHTS}: does not fit {_CONFIG}: {_reason(error)}"
        ) from error
    return model


def check_files(preset: str | os.PathLike[str]) -> list[CheckedFile]:
    """Compare a preset's configuration and weights with what its metadata says of them.

    Raises:
        PresetError: if there is no such preset, a file is missing or lies outside the directory, or
            the metadata does not describe these two.
    """
    directory = _directory(preset)
    checksums = read_metadata(preset).get("sha256")
    if not isinstance(checksums, Mapping) or set(checksums) != {_CONFIG, _WEIGHTS}:
        raise PresetError(
            f"{directory / _METADATA}: 'sha256' must name {_CONFIG} and {_WEIGHTS}, nothing else"
        )
    paths = [_inside(directory, name) for name in (_CONFIG, _WEIGHTS)]
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
    directory = _directory(preset)
    return _read_json(_inside(directory, _METADATA))


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
    temporary = directory / f"part.{_WEIGHTS}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        bare.save_weights(temporary)
        os.replace(temporary, directory / _WEIGHTS)
        _write_json(directory / _CONFIG, config)
        checksums = {name: _sha256(directory / name) for name in (_CONFIG, _WEIGHTS)}
        _write_json(directory / _METADATA, {**metadata, "sha256": checksums})
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


def _directory(preset: str | os.PathLike[str]) -> Path:
    name = os.fspath(preset)
    if name in names():
        return _SHIPPED / name
    # Of a training run, the best weights so far.
    for directory in (Path(name), Path(name) / "best"):
        if os.path.isfile(directory / _METADATA):
            return directory
    directory = Path(name)
    if os.path.isdir(directory):
        raise PresetError(f"{directory}: is no preset, it has no {_METADATA}")
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


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise PresetError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_json(path: Path) -> dict[str, Any]:
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
