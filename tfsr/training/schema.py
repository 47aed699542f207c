"""Plain data to typed dataclasses by pydantic, each error as one line with its dotted key."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tfsr.errors import RecipeError, did_you_mean

_UNKNOWN, _MISSING = "unexpected_keyword_argument", "missing"
# pydantic's words for what a JSON value should be, and those of a recipe.
_WORDS = (
    ("Input should be", "must be"),
    ("an object", "a mapping of keys to values"),
    ("a valid array", "a list"),
    ("a valid string", "text"),
    ("a valid ", "a "),
    ("a integer", "an integer"),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
    ("greater than", "above"),
    ("less than", "below"),
)

_adapter = cache(TypeAdapter)


def read(kind: Any, content: Any, where: str = "") -> Any:
    """Make a dataclass, which has a `__pydantic_config__`, of a mapping, as YAML gives it.

    Raises:
        RecipeError: naming the key, after `where`, what was received and what is accepted.
    """
    try:
        text = json.dumps(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecipeError(f"contains values that are not plain data: {error}") from error
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise RecipeError(_line(kind, content, error, where)) from None


def _line(kind: Any, content: Any, error: ValidationError, where: str) -> str:
    """Describe one of the errors.

    A union has an error for each of its members: the deepest is of the member that was meant. An
    unknown key comes first, because it explains a missing one.
    """
    found = [(_path(content, e["loc"], e["type"]), e) for e in error.errors()]
    path, first = max(found, key=lambda item: (item[1]["type"] == _UNKNOWN, len(item[0])))
    key = _dotted(path, where)
    if first["type"] == _UNKNOWN:
        known = [field.name for field in fields(_dataclass_at(kind, path[:-1]))]
        line = f"unknown key '{key}'; known: {', '.join(known)}."
        return line + did_you_mean(str(path[-1]), known)
    if first["type"] == _MISSING:
        return f"the key '{key}' is missing"
    accepted = " or ".join(dict.fromkeys(e["msg"] for p, e in found if p == path))
    for theirs, ours in _WORDS:
        accepted = accepted.replace(theirs, ours)
    accepted = accepted.replace(" or must be", " or")
    choices = re.findall("'([^']+)'", first.get("ctx", {}).get("expected", ""))
    line = f"{key or 'the recipe'} {accepted}; received {first['input']!r}"
    return line + ("." + did_you_mean(str(first["input"]), choices) if choices else "")


def _path(content: Any, location: Sequence[Any], kind: str) -> list[Any]:
    """Keys and indices of an error, without the names of a union's members."""
    path = []
    for number, part in enumerate(location, 1):
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            if kind != _MISSING or number < len(location):
                continue
        path.append(part)
    return path


def _dotted(path: Sequence[Any], where: str) -> str:
    for part in path:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
    return where


def _dataclass_at(kind: Any, path: Sequence[Any]) -> Any:
    """The dataclass that describes the mapping at a path."""
    for part in path:
        if isinstance(part, str):
            kind = _dataclass_in(get_type_hints(kind)[part])
    return kind


def _dataclass_in(hint: Any) -> Any:
    if is_dataclass(hint):
        return hint
    return next(filter(None, map(_dataclass_in, get_args(hint))), None)
