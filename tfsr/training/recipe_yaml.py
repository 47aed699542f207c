"""Recipes as YAML files: bases and changes are merged into one mapping, which is not checked.

It imports neither Keras nor the models, so a queue can read recipes cheaply.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tfsr.errors import RecipeError
from tfsr.regular_files import read_regular

# The longest recipe has 60 lines, and a queue a few for each training.
_LARGEST, _MOST_VALUES, _MOST_BASES = 2**20, 10_000, 16
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
    if len(derived) > _MOST_BASES:
        raise RecipeError(f"{where}a recipe has at most {_MOST_BASES} bases, one on the other")
    try:
        text = read_regular(path, _LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(f"{where}cannot be read: {reason}") from error
    try:
        content = _parsed(text)
    except ValueError as error:
        raise RecipeError(f"{where}is not YAML: {error}") from error
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
        value = _parsed(text)
    except ValueError as error:
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


def _parsed(text: str) -> Any:
    """The content of a YAML text; a ValueError of one line if it is none."""
    try:
        return yaml.load(text, _Loader)
    # PyYAML raises YAMLError by design, AttributeError and others over tags whose values are not of
    # their types, and RecursionError over deep nesting.
    except Exception as error:
        reason = " ".join(str(error)[:1000].split())[:300]
        raise ValueError(reason or type(error).__name__) from error


class _Loader(yaml.SafeLoader):
    """YAML without duplicate keys, whose dates are text, and of a limited number of values."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._written = 0
        self._counts: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, counting what stands in the text before all of it is read."""
        self._written += 1
        if self._written > _MOST_VALUES:
            raise yaml.YAMLError(f"it has more than {_MOST_VALUES} values")
        return super().compose_node(parent, index)

    def get_single_node(self) -> Any:
        """Compose the document, and count the values that its aliases stand for too."""
        node = super().get_single_node()
        if node is not None and self._count(node) > _MOST_VALUES:
            raise yaml.YAMLError(
                f"it has more than {_MOST_VALUES} values with those of its aliases"
            )
        return node

    def _count(self, node: Any) -> int:
        if id(node) not in self._counts:
            self._counts[id(node)] = _MOST_VALUES  # Of an alias within itself: it has no end.
            parts = [] if isinstance(node, yaml.ScalarNode) else node.value
            nodes = [x for part in parts for x in (part if isinstance(part, tuple) else (part,))]
            self._counts[id(node)] = 1 + sum(map(self._count, nodes))
        return self._counts[id(node)]

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Construct a mapping; PyYAML would take the last of two equal keys."""
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, count in names.items():
            if count > 1:
                raise yaml.YAMLError(f"duplicate key {name!r}{node.start_mark}")
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e-4, which has no point, as text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)
