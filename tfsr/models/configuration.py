"""A model from plain data, whichever kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfsr.errors import check_choice
from tfsr.models.bicubic import Bicubic
from tfsr.models.implicit_sr import ImplicitSR
from tfsr.models.sub_pixel import SubPixelSR

# Convolutions and matrix products are rounded to it, nothing else: weights, coordinates and sums
# stay float32.
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

AnyModel = ImplicitSR | SubPixelSR


def from_config(config: Mapping[str, Any]) -> AnyModel:
    """The model of {"encoder", "decoder"}, or the fixed-scale one of {"encoder", "scale"}.

    Either may also have Keras's own "name", "dtype" and "trainable", and the "parts" and "frozen"
    of `get_config`.

    Raises:
        InvalidArgument: if a key is unknown or missing, or a name or an argument is unknown.

    Example:
        >>> config = {"encoder": {"name": "span", "blocks": 2}, "decoder": "thera"}
        >>> tfsr.models.from_config(config).decoder.get_config()["local_ensemble"]
        False
    """
    if "scale" in config and "decoder" not in config:
        return SubPixelSR.from_config(config)
    return ImplicitSR.from_config(config)


def with_precision(model: AnyModel | Bicubic, precision: str) -> AnyModel | Bicubic:
    """A model of the same weights that computes in another precision; the same one if it does.

    Args:
        model: the model.
        precision: str. "float32" or "bfloat16".

    Raises:
        InvalidArgument: if the precision is unknown.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "thera")
        >>> tfsr.models.with_precision(model, "bfloat16").dtype_policy.name
        'mixed_bfloat16'
    """
    check_choice("precision", precision, _POLICIES)
    policy = _POLICIES[precision]
    if isinstance(model, Bicubic):
        return model
    if all(layer.dtype_policy.name == policy for layer in (model, *model.layers)):
        return model
    config = {**model.get_config(), "dtype": policy}
    copy = from_config({k: v for k, v in config.items() if k not in ("name", "parts")})
    copy.set_weights(model.get_weights())
    return copy
