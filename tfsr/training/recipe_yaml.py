"""Recipes as YAML files: bases and changes are merged into one mapping, which is not checked.

It imports neither Keras nor the models, so a queue can read recipes cheaply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tfsr.errors import RecipeError

_LARGEST = 2**20
_NOT_INHERITED = ("parameters", "expected")
# `encoder: edsr` is short for `encoder: {name: edsr}`.
_SHORTHANDS = {
    **dict.fromkeys(("encoder", "decoder", "optimizer", "loss"), "name"),
    "teacher": "preset",
}


def read_recipe(path: str | os.PathLike[str], changes: Sequence[str] = ()) -> Any:
    """Read a recipe's content, with its bases and with changes, "KEY=VALUE" each.

    Raises:
        RecipeError: if a file cannot be read or is not YAML, or a change has no key.
    """
    content = read_yaml(Path(path))
    for change in changes:
        content = _changed(content, change)
    return content


def read_yaml(path: Path, derived: tuple[Path, ...] = ()) -> Any:
    """Read a YAML file, merged with its `base` if it is a mapping that names one.

    `derived` are the files that are based on it.
    """
    where = f"base {path.name}: " if derived else ""
    try:
        with open(path, "rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise RecipeError(f"{where}must have at most 1 MiB")
        content = yaml.load(text.decode("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(f"{where}cannot be read: {reason}") from error
    # ValueError: a tag with a value that is not of its type. RecursionError: very deep nesting.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{where}is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or "base" not in content:
        return content
    base, derived = content.pop("base"), (*derived, path)
    if not isinstance(base, str) or Path(base).name != base:
        raise RecipeError(f"base must be the name of a recipe beside it; received {base!r}")
    if (path.parent / base) in derived:
        raise RecipeError(f"base: {base} is based on this recipe itself")
    inherited = read_yaml(path.parent / base, derived)
    if not isinstance(inherited, dict):
        raise RecipeError(f"base {base}: must be a mapping of keys to values; got {inherited!r}")
    return _merged(_without(inherited), content)


def _changed(content: Any, change: str) -> Any:
    """Set one dotted key of a recipe's mapping."""
    if not isinstance(content, dict):
        return content
    path, equals, text = change.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise RecipeError(
            f"a change must be KEY=VALUE, such as training.steps=2000; received {change!r}"
        )
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: the value must be YAML; received {text!r}") from error
    for key in reversed(keys):
        value = {key: value}
    return _merged(_without(content) if keys[0] == "model" else content, value)


def _without(recipe: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key not in _NOT_INHERITED}


def _merged(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Merge changes into a mapping, key by key."""
    return {**recipe, **{k: _merged_value(recipe.get(k), v, k) for k, v in changes.items()}}


def _merged_value(base: Any, change: Any, key: str) -> Any:
    name = _SHORTHANDS.get(key)
    if name and isinstance(base, str) and isinstance(change, dict):
        base = {name: base}
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    if name and change.get(name, base.get(name)) != base.get(name):
        # Arguments of another encoder do not apply; of a teacher, only the checksum is its own.
        if name == "name":
            return change
        base = {k: value for k, value in base.items() if k != "sha256"}
    return _merged(base, change)


class _Loader(yaml.SafeLoader):
    """YAML without duplicate keys, whose dates are text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Construct a mapping; PyYAML would take the last of two equal keys."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.YAMLError(f"duplicate key {name!r}{node.start_mark}")
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e-4, which has no point, as text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)
