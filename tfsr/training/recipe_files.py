"""Recipes as YAML files: bases, changes from the command line, and back to plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tfsr import __version__
from tfsr.errors import RecipeError
from tfsr.training.recipe import VERSION, Recipe
from tfsr.training.recipe_checks import check
from tfsr.training.schema import read

_NOT_INHERITED = ("parameters", "expected")


def load(path: str | os.PathLike[str], changes: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    A recipe may name another, `base: other.yaml` beside it, and say only what differs: mappings are
    merged key by key, everything else is replaced, and so is an encoder or a decoder by one of
    another name. What a base says of its own model, `parameters` and `expected`, is not taken over.
    A base may have a base, and need not be a whole recipe.

    Args:
        path: of the recipe.
        changes: "key=value" each, such as "training.steps=2000" or "data.train=faces"; the value is
            YAML. What is changed in the model drops `parameters` and `expected` too.

    Raises:
        RecipeError: if a file cannot be read, is not YAML, or has an unknown, missing or
            impossible key; the message names it, and the nearest known one.
    """
    try:
        content = _read_yaml(Path(path))
        for change in changes:
            content = _changed(content, change)
        return parse(content)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _read_yaml(path: Path, seen: tuple[Path, ...] = ()) -> Any:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(f"{_in_base(path, seen)}cannot be read: {reason}") from error
    # ValueError: a tag may promise a date that is none. RecursionError: brackets thousands deep.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError(f"{_in_base(path, seen)}is not YAML: {reason}") from error
    if not isinstance(content, dict) or "base" not in content:
        return content
    base = content.pop("base")
    if not isinstance(base, str) or Path(base).name != base:
        raise RecipeError(f"base must be the name of a recipe beside this one; got {base!r}")
    seen = (*seen, path)
    if (path.parent / base) in seen:
        raise RecipeError(f"base: {base} is based on this recipe itself")
    inherited = _read_yaml(path.parent / base, seen)
    if not isinstance(inherited, dict):
        raise RecipeError(f"base {base}: must be a mapping of keys to values; got {inherited!r}")
    inherited = {key: value for key, value in inherited.items() if key not in _NOT_INHERITED}
    return _with(inherited, content)


def _changed(content: Any, change: str) -> Any:
    """A recipe's mapping with one dotted key set."""
    if not isinstance(content, dict):
        return content
    key, equals, text = change.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not all([*parents, last]):
        raise RecipeError(f"--set takes key=value, such as training.steps=2000; got {change!r}")
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"--set {key}: the value is not YAML: {text!r}") from error
    for name in reversed([*parents, last]):
        value = {name: value}
    if [*parents, last][0] == "model":
        content = {name: v for name, v in content.items() if name not in _NOT_INHERITED}
    return _with(content, value)


def _in_base(path: Path, seen: tuple[Path, ...]) -> str:
    return f"base {path.name}: " if seen else ""


def _with(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A recipe's mapping with changes; whatever its own `name` is, it stays the same recipe."""
    return {
        **recipe,
        **{key: _merge(recipe.get(key), value, key) for key, value in changes.items()},
    }


def _merge(base: Any, change: Any, key: str) -> Any:
    named = key in ("encoder", "decoder", "optimizer")
    if named and isinstance(base, str) and isinstance(change, dict):
        # `encoder: edsr` is short for `encoder: {name: edsr}`.
        base = {"name": base}
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    # Another encoder is another thing: none of the base's arguments belong to it.
    if named and "name" in change and change["name"] != base.get("name"):
        return change
    return {**base, **{key: _merge(base.get(key), value, key) for key, value in change.items()}}


class _Loader(yaml.SafeLoader):
    """YAML whose keys are said once, and whose dates are text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """As PyYAML has it, but that it takes a key said twice for a mistake."""
        said = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = [key for key in said if said.count(key) > 1]
        if twice:
            raise yaml.YAMLError(f"{twice[0]!r} is said twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def parse(content: Any) -> Recipe:
    """The recipe of a mapping, as YAML gives it.

    Raises:
        RecipeError: as `load`.
    """
    version = content.get("version", VERSION) if isinstance(content, Mapping) else VERSION
    # Told before its keys are looked at: those that this version does not know are no mistakes.
    if isinstance(version, int) and version > VERSION:
        raise RecipeError(
            f"version {version} is of a newer tfsr; this one, {__version__}, reads version "
            f"{VERSION}: install the newer one"
        )
    try:
        json.dumps(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecipeError(f"holds what is no plain data: {error}") from error
    recipe = read(Recipe, content, "")
    check(recipe)
    return recipe


def to_mapping(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, from which `parse` makes an equal one."""
    return json.loads(json.dumps(asdict(recipe)))
