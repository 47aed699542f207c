"""Encoders, decoders, losses and degradations by name, so that a configuration is plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfsr.errors import InvalidArgument, check_choice, did_you_mean
from tfsr.hints import constructor_arguments


class Registry:
    """Classes by name, each with default arguments.

    Args:
        kind: what is registered ("encoder"), for error messages.
        base: base class whose objects `build` returns as they are, registered or not. Defaults to
            none.

    Attributes:
        revision: grows whenever a name is registered or unregistered.

    Example:
        >>> tfsr.encoders.ENCODERS.build({"name": "edsr", "blocks": 4}).blocks
        4
    """

    def __init__(self, kind: str, base: type[Any] | None = None) -> None:
        self.kind = kind
        self.base = base
        self._entries: dict[Any, tuple[type[Any], dict[str, Any]]] = {}
        self.revision = 0

    def add(self, name: str, cls: type[Any], **defaults: Any) -> None:
        """Register a class; the first of its names is the one that `config_of` returns."""
        self._entries[name] = (cls, defaults)
        self.revision += 1

    def remove(self, name: str) -> None:
        """Unregister a name."""
        del self._entries[name]
        self.revision += 1

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._entries)

    def get(self, name: Any, arguments: Iterable[str] = ()) -> type[Any]:
        """Return the class of a name, checked to have these arguments.

        Raises:
            InvalidArgument: unknown name or argument; the message has the closest match.
        """
        check_choice(self.kind, name, self.names())
        cls = self._entries[name][0]
        _check_keys(arguments, constructor_arguments(cls), f"{self.kind} {name!r}", "argument")
        return cls

    def build(self, config: Any, **overrides: Any) -> Any:
        """Build the object that a configuration describes.

        Args:
            config: a registered name, or a mapping {"name": ..., argument: value}. An object of the
                base class is returned as it is.
            **overrides: arguments that take precedence.

        Raises:
            InvalidArgument: as in `get`.
        """
        if self.base is not None and isinstance(config, self.base):
            return config
        if isinstance(config, str):
            config = {"name": config}
        if not isinstance(config, Mapping):
            raise InvalidArgument(
                "must be a registered name, a mapping with 'name', or such an object; received "
                f"{config!r}",
                self.kind,
            )
        name, arguments = config.get("name"), {k: v for k, v in config.items() if k != "name"}
        return self.get(name, arguments)(**{**self._entries[name][1], **arguments, **overrides})

    def config_of(self, item: Any) -> dict[str, Any]:
        """Return the mapping from which `build` makes an equal object, as plain data."""
        for name, (cls, _) in self._entries.items():
            if cls is type(item):
                config = item.get_config()
                return {"name": name, **{key: config[key] for key in constructor_arguments(cls)}}
        raise InvalidArgument(
            f"{type(item).__name__} is not a registered {self.kind}; known: "
            f"{', '.join(self.names())}"
        )


def check_model_config(config: Mapping[str, Any], parts: Sequence[str]) -> None:
    """Check that a model's configuration has all its parts, and no keys but them and its state.

    Raises:
        InvalidArgument: missing or unknown key; the message has the closest match.
    """
    state = ("name", "dtype", "trainable", "parts", "frozen")
    _check_keys(config, [*parts, *state], "a model's configuration", "key")
    for part in parts:
        if part not in config:
            raise InvalidArgument(f"a model's configuration needs the key {part!r}")


def _check_keys(keys: Iterable[str], known: Sequence[str], owner: str, noun: str) -> None:
    for key in keys:
        if key not in known:
            raise InvalidArgument(
                f"{owner} has no {noun} {key!r}; known: {', '.join(known) or 'none'}."
                + did_you_mean(str(key), known)
            )
