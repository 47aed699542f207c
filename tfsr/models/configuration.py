"""A model from plain data, whichever kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfsr.models.implicit_sr import ImplicitSR
from tfsr.models.sub_pixel import SubPixelSR

AnyModel = ImplicitSR | SubPixelSR


def from_config(config: Mapping[str, Any]) -> AnyModel:
    """The model of {"encoder", "decoder"}, or the fixed-scale one of {"encoder", "scale"}.

    Either may also have Keras's own "name", "dtype" and "trainable".

    Raises:
        InvalidArgument: if a key is unknown or missing, or a name or an argument is unknown.
    """
    if "scale" in config and "decoder" not in config:
        return SubPixelSR.from_config(config)
    return ImplicitSR.from_config(config)
