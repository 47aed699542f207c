"""Recipes as YAML files, before anything is checked: bases and changes, merged into one mapping.

It imports neither Keras nor the models, for what only looks at recipes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tfsr.errors import RecipeError

_NOT_INHERITED = ("parameters", "expected")


def read_recipe(path: str | os.PathLike[str], changes: Sequence[str] = ()) -> Any:
    """Read a recipe's content, with its bases and with changes from the command line.

    Args:
        path: of the recipe.
        changes: "key=value" each; the value is YAML.

    Returns:
        What the YAML says, usually a mapping; nothing else is checked.

    Raises:
        RecipeError: if a file cannot be read or is not YAML, or a change has no key.

    Example:
        >>> read_recipe("recipes/liif-edsr.yaml", ["training.steps=2000"])["training"]["steps"]
        2000
    """
    content = read_yaml(Path(path))
    for change in changes:
        content = _changed(content, change)
    return content


def read_yaml(path: Path, seen: tuple[Path, ...] = ()) -> Any:
    """Read a YAML file, merged with its `base` if it is a mapping that names one.

    Args:
        path: of the file.
        seen: the files that are based on it.

    Raises:
        RecipeError: if a file cannot be read, is not YAML, or is its own base.
    """
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
    inherited = read_yaml(path.parent / base, seen)
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
    named = key in ("encoder", "decoder", "optimizer", "loss")
    if isinstance(base, str) and isinstance(change, dict) and (named or key == "teacher"):
        # `encoder: edsr` is short for `encoder: {name: edsr}`.
        base = {"name" if named else "preset": base}
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    # Another encoder is another thing: none of the base's arguments belong to it.
    if named and "name" in change and change["name"] != base.get("name"):
        return change
    if key == "teacher" and change.get("preset", base.get("preset")) != base.get("preset"):
        # The checksum is of the base's teacher.
        base = {name: value for name, value in base.items() if name != "sha256"}
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


# YAML 1.1 reads 1e-4, which has no point, as text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)
