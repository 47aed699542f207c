"""A layer whose configuration follows from its constructor."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.hints import constructor_arguments
from tfsr.layers.budget import Budgeted


def with_dtype(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's arguments with float32 in place of Keras's `floatx`.

    `floatx` may be what other programs wrote into ~/.keras/keras.json. A dtype that is given, and a
    policy set by `keras.config.set_dtype_policy`, hold.
    """
    by_floatx = keras.config.dtype_policy().name == keras.config.floatx()
    if kwargs.get("dtype") is None and by_floatx:
        return {**kwargs, "dtype": "float32"}
    return kwargs


class ConfiguredLayer(Budgeted, keras.layers.Layer):
    """A layer that stores each constructor argument as an attribute of the same name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**with_dtype(kwargs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and those of every Keras layer."""
        config = super().get_config()
        config.pop("autocast", None)
        for name in constructor_arguments(type(self)):
            value = getattr(self, name)
            config[name] = list(value) if isinstance(value, tuple) else value
        return config
