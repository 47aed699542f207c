"""Plain data, as YAML gives it, to the dataclasses that describe it: checked once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tfsr.errors import RecipeError, did_you_mean


def read(kind: Any, value: Any, where: str) -> Any:
    """`value`, as YAML gives it, as `kind`.

    Args:
        kind: a dataclass, a union, a tuple, a `Literal`, a mapping or a plain type.
        value: the value.
        where: the key that it stands under, for messages; empty for the whole file.

    Raises:
        RecipeError: if it cannot be read so; an unknown key is told with the nearest known one.
    """
    if is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        lists = [option for option in arguments if get_origin(option) is tuple]
        if isinstance(value, list) and len(lists) == 1:
            # Only this can be meant, and it says what is wrong within the list.
            return read(lists[0], value, where)
        for option in arguments:
            if is_dataclass(option) and value is not None:
                return read(option, value, where)
            try:
                return read(option, value, where)
            except RecipeError:
                continue
        raise RecipeError(f"{where} must be {_describe(kind)}; got {value!r}")
    if origin is Literal:
        if value in arguments:
            return value
        raise RecipeError(
            f"{where} must be one of {', '.join(arguments)}; got {value!r}."
            + did_you_mean(str(value), arguments)
        )
    if origin is tuple:
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        if not isinstance(value, list) or (not repeated and len(value) != len(arguments)):
            raise RecipeError(f"{where} must be {_describe(kind)}; got {value!r}")
        kinds = [arguments[0]] * len(value) if repeated else arguments
        items = enumerate(zip(kinds, value, strict=True))
        return tuple(read(k, v, f"{where}[{i}]") for i, (k, v) in items)
    return _read_plain(kind, value, where)


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    if where and isinstance(value, str) and fields(kind)[0].name in ("name", "preset", "folder"):
        # `optimizer: muon` is short for `optimizer: {name: muon}`.
        value = {fields(kind)[0].name: value}
    if not isinstance(value, Mapping):
        what = where or "the recipe"
        raise RecipeError(f"{what} must be a mapping of keys to values; got {value!r}")
    known = {f.name: f for f in fields(kind)}
    prefix = f"{where}." if where else ""
    for key in value:
        if key not in known:
            raise RecipeError(
                f"unknown key '{prefix}{key}'; known: {', '.join(known)}."
                + did_you_mean(str(key), known)
            )
    for name, f in known.items():
        if name not in value and f.default is MISSING and f.default_factory is MISSING:
            raise RecipeError(f"the key '{prefix}{name}' is missing")
    hints = get_type_hints(kind)
    return kind(**{key: read(hints[key], v, f"{prefix}{key}") for key, v in value.items()})


def _read_plain(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind) or kind
    if kind is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4, which has no point, as text.
        try:
            return float(value)
        except ValueError:
            pass
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    matches = value is None if origin is type(None) else isinstance(value, origin)
    if matches and not (origin is int and isinstance(value, bool)):
        return value
    raise RecipeError(f"{where} must be {_describe(kind)}; got {value!r}")


def _describe(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_describe(argument) for argument in arguments)
    if origin is tuple:
        inner = _describe(arguments[0])
        return f"a list of {inner}" if arguments[1] is Ellipsis else f"[{inner}, {inner}]"
    if origin is Mapping:
        return "a mapping"
    if origin is Literal:
        return " or ".join(repr(argument) for argument in arguments)
    return {type(None): "empty", str: "text"}.get(kind, kind.__name__)
