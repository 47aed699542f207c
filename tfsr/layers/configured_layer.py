"""A layer whose configuration follows from its constructor."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from tfsr.layers.budget import Budgeted


class ConfiguredLayer(Budgeted, keras.layers.Layer):
    """A layer that stores each constructor argument as an attribute of the same name."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and those of every Keras layer."""
        config = super().get_config()
        config.pop("autocast", None)
        for parameter in inspect.signature(type(self)).parameters.values():
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                value = getattr(self, parameter.name)
                config[parameter.name] = list(value) if isinstance(value, tuple) else value
        return config
