"""Names for encoders, decoders and losses, so that a configuration is plain data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from tfsr.errors import InvalidArgument, did_you_mean


class Registry:
    """Names, each with a class and the arguments that the name stands for.

    The first name given to a class is its own: `config_of` answers it.

    Args:
        kind: str. What the names name ("encoder"), for messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, tuple[type, dict[str, Any]]] = {}

    def add(self, name: str, cls: type, **defaults: Any) -> None:
        """Register `cls` under `name`; the name stands for these default arguments."""
        self._entries[name] = (cls, defaults)

    def remove(self, name: str) -> None:
        """Forget a name."""
        del self._entries[name]

    def names(self) -> list[str]:
        """Every registered name, sorted."""
        return sorted(self._entries)

    def build(self, config: Any, **overrides: Any) -> Any:
        """The object that a name, or a mapping {"name": ..., argument: value}, describes.

        An object of a registered class is answered as it is.

        Raises:
            InvalidArgument: if the name or an argument is unknown; the nearest known one is named.
        """
        if isinstance(config, str):
            config = {"name": config}
        if isinstance(config, tuple(cls for cls, _ in self._entries.values())):
            return config
        if not isinstance(config, Mapping):
            raise InvalidArgument(
                f"{self.kind} must be a registered name, a mapping with 'name', or such an object; "
                f"got {config!r}"
            )
        arguments = dict(config)
        name = arguments.pop("name", None)
        if name not in self._entries:
            raise InvalidArgument(
                f"unknown {self.kind} {name!r}; known: {', '.join(self.names())}."
                + did_you_mean(str(name), self.names())
            )
        cls, defaults = self._entries[name]
        known = list(constructor_arguments(cls))
        for argument in arguments:
            if argument not in known:
                raise InvalidArgument(
                    f"{self.kind} {name!r} has no argument {argument!r}; "
                    f"known: {', '.join(known) or 'none'}." + did_you_mean(str(argument), known)
                )
        return cls(**{**defaults, **arguments, **overrides})

    def config_of(self, item: Any) -> dict[str, Any]:
        """The mapping from which `build` makes an equal object, plain data only."""
        name = next((n for n, (cls, _) in self._entries.items() if cls is type(item)), None)
        if name is None:
            raise InvalidArgument(
                f"{type(item).__name__} is no registered {self.kind}; "
                f"known: {', '.join(self.names())}"
            )
        config = item.get_config()
        return {"name": name, **{k: config[k] for k in constructor_arguments(type(item))}}


def check_model_config(config: Mapping[str, Any], parts: Sequence[str]) -> None:
    """Check that a model's configuration has its parts, and nothing but them and Keras's keys.

    Raises:
        InvalidArgument: if a key is missing or unknown; the nearest known one is named.
    """
    known = (*parts, "name", "dtype", "trainable")
    for key in config:
        if key not in known:
            raise InvalidArgument(
                f"a model's configuration has no key {key!r}; known: {', '.join(known)}."
                + did_you_mean(str(key), known)
            )
    for part in parts:
        if part not in config:
            raise InvalidArgument(f"a model's configuration needs the key {part!r}")


def constructor_config(item: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Add a layer's constructor arguments to Keras's own configuration.

    Args:
        item: a layer that stores each argument as an attribute of its name.
        config: from `keras.layers.Layer.get_config`.
    """
    config.pop("autocast", None)
    values = {name: getattr(item, name) for name in constructor_arguments(type(item))}
    # Keras wraps the lists and tuples that a layer stores.
    plain = {k: list(v) if isinstance(v, list | tuple) else v for k, v in values.items()}
    return {**config, **plain}


def constructor_arguments(cls: type) -> list[str]:
    """Names of a constructor's own arguments, without those of every Keras layer."""
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
