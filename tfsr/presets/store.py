"""A preset is a directory: config.json, model.weights.h5, metadata.json and README.md.

metadata.json has the provenance of the weights (data and its licence, recipe, seed, steps), the
measured quality, and the sha256 of the first two files. README.md, the model card, is made of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tfsr.errors import PresetError, did_you_mean
from tfsr.presets.hub import MAX_BYTES, fetch, is_handle

if TYPE_CHECKING:
    # Models import Keras, which takes seconds.
    from tfsr.models import AnyModel

DEFAULT = "faces"
"""The preset of the command line, if none is named."""

SHIPPED = Path(__file__).parent
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD = "README.md"


class CheckedFile(NamedTuple):
    """A file of a preset, its sha256 in the metadata, and whether that matches."""

    path: Path
    bytes: int
    sha256: str
    matches: bool


def names() -> list[str]:
    """List the presets that ship with the package.

    Example:
        >>> tfsr.presets.DEFAULT in tfsr.presets.names()
        True
    """
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{METADATA}"))


def check_files(preset: str | os.PathLike[str]) -> list[CheckedFile]:
    """Compare a preset's configuration and weights with the metadata's checksums.

    Raises:
        PresetError: if there is no such preset, a file is missing or too large, or the metadata
            lacks the checksums.

    Example:
        >>> [file.matches for file in tfsr.presets.check_files(tfsr.presets.DEFAULT)]
        [True, True]
    """
    directory = find(preset)
    checksums = read_metadata(preset).get("sha256")
    if not isinstance(checksums, Mapping) or set(checksums) != {CONFIG, WEIGHTS}:
        raise PresetError(
            f"{directory / METADATA}: 'sha256' must name {CONFIG} and {WEIGHTS}, nothing else"
        )
    files = []
    for name in (CONFIG, WEIGHTS):
        path, expected = _existing(directory, name), str(checksums[name])
        size = path.stat().st_size
        if size > MAX_BYTES[name]:
            raise PresetError(f"{path}: has {size} bytes; at most {MAX_BYTES[name]} are read")
        files.append(CheckedFile(path, size, expected, _sha256(path) == expected))
    return files


def read_metadata(preset: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the metadata of a preset.

    Raises:
        PresetError: if there is no such preset, or its metadata cannot be read.

    Example:
        >>> tfsr.presets.read_metadata(tfsr.presets.DEFAULT)["provenance"]["licence"]
        'Apache-2.0'
    """
    return read_json(_existing(find(preset), METADATA))


def save_preset(
    model: AnyModel, directory: str | os.PathLike[str], metadata: Mapping[str, Any]
) -> None:
    """Write a preset: model card, configuration, weights, and last metadata.json, which marks it.

    Args:
        model: an `ImplicitSR` or `SubPixelSR`. Optimizer and dtype policy are not saved.
        directory: made if it does not exist.
        metadata: plain data; "sha256" is added.

    Raises:
        PresetError: if the directory cannot be written, or is a hub's handle.

    Example:
        >>> encoder = {"name": "edsr", "features": 8, "blocks": 1}
        >>> model = tfsr.ImplicitSR(encoder, {"name": "liif", "hidden": [8]})
        >>> tfsr.presets.save_preset(model, "mine", {"provenance": {"licence": "MIT"}})
        >>> tfsr.presets.read_metadata("mine")["provenance"]
        {'licence': 'MIT'}
    """
    from tfsr.images.atomic import check_space, remove_abandoned, temporary_path
    from tfsr.models import from_config
    from tfsr.presets.card import model_card
    from tfsr.presets.weights_file import keep_form

    if is_handle(os.fspath(directory)):
        raise PresetError(
            f"{directory}: is a hub's handle; save to a folder, which the hub's own program uploads"
        )
    directory = Path(directory)
    whole = model.get_config()
    config: dict[str, Any] = {
        key: whole[key] for key in ("encoder", "decoder", "scale") if key in whole
    }
    # A new model: saving a compiled one would save its optimizer too.
    bare = from_config(config)
    bare.set_weights(model.get_weights())
    made = not os.path.lexists(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        remove_abandoned(directory)
        check_space(directory, 2**20 + 8 * model.count_params())
        # A folder of its own: HDF5 opens its file by name, which others could make a link.
        with temporary_path(directory, lambda path: path.mkdir(0o700)) as folder:
            bare.save_weights(folder / WEIGHTS)
            keep_form(folder / WEIGHTS)
            _write_json(folder / CONFIG, config)
            checksums = {name: _sha256(folder / name) for name in (CONFIG, WEIGHTS)}
            _write_json(folder / METADATA, {**metadata, "sha256": checksums})
            (folder / CARD).write_text(model_card(config, metadata), encoding="utf-8")
            for name in (CARD, WEIGHTS, CONFIG, METADATA):
                os.replace(folder / name, directory / name)
            folder.rmdir()
    except BaseException as error:
        if made:  # It would be in the way of the next try.
            with contextlib.suppress(OSError):
                directory.rmdir()
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or error
        raise PresetError(f"{directory}: cannot be written: {reason}") from error


def check_new(directory: str | os.PathLike[str]) -> None:
    """Raise unless a preset can be written there without replacing anything.

    Raises:
        PresetError: if something other than an empty directory exists, or it cannot be made.
    """
    name = os.fspath(directory)
    try:
        os.lstat(name)
        taken = not os.path.isdir(name) or bool(os.listdir(name))
    except FileNotFoundError:
        parent = next(path for path in Path(name).absolute().parents if os.path.lexists(path))
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PresetError(f"{name}: cannot be written: {parent} may not be changed") from None
        return
    except OSError as error:
        raise PresetError(f"{name}: cannot be written: {error.strerror}") from error
    if taken:
        raise PresetError(f"{name}: already exists; name another directory")


def find(preset: str | os.PathLike[str]) -> Path:
    """Return the directory of a preset; of a training run, that of its best weights.

    Raises:
        PresetError: if there is no such preset.
    """
    name = os.fspath(preset)
    if name in names():
        return SHIPPED / name
    if is_handle(name):
        return fetch(name)
    for directory in (Path(name), Path(name) / "best"):
        if os.path.isfile(directory / METADATA):
            return directory
    if os.path.isdir(name):
        raise PresetError(f"{name}: is not a preset: it has no {METADATA}")
    if name.endswith(".keras") and os.path.isfile(name):
        raise PresetError(f"{name}: is not a preset; keras.models.load_model loads .keras files")
    raise PresetError(
        f"unknown preset {name!r}; known: {', '.join(names())}, a directory, or a hub's handle, "
        "such as hf://USER/NAME." + did_you_mean(name, names())
    )


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object of a file.

    Raises:
        PresetError: if the file cannot be read, or contains anything else.
    """
    try:
        if path.stat().st_size > MAX_BYTES[METADATA]:
            raise ValueError(f"larger than {MAX_BYTES[METADATA]} bytes")
        text = path.read_text(encoding="utf-8")
        content = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_number,
        )
    # RecursionError: thousands of nested brackets.
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise PresetError(f"{path}: must contain a JSON object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key stands there twice")
    return content


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


def _integer(text: str) -> int:
    _number(text)  # Larger ones are formatted by nothing.
    return int(text)


def _existing(directory: Path, name: str) -> Path:
    path = directory / name
    if not os.path.isfile(path):
        raise PresetError(f"{path}: is missing")
    return path


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PresetError(f"{path}: cannot be read: {error.strerror or error}") from error


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
