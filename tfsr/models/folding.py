"""Models for use, of models for training."""

from __future__ import annotations

from typing import Any, TypeVar

from tfsr.encoders import ENCODERS

Model = TypeVar("Model")


def folded(model: Model) -> Model:
    """A model of equal output whose encoder's convolutions are plain 3x3 ones.

    Re-parameterised convolutions compute their kernel from branches whenever they are called.
    Folded, the kernel itself is stored: fewer weights, less work, and operations that every runtime
    has. The output is equal but for float32 rounding, at the borders too, whatever the size.

    A folded model can be trained too, but no longer with the branches that make training better.

    Args:
        model: an `ImplicitSR`, a `SubPixelSR`, or `Bicubic`, which has nothing to fold.

    Returns:
        A new model; the same one where nothing folds.

    Example:
        >>> model = tfsr.ImplicitSR("span", "liif")
        >>> tfsr.models.folded(model).count_params() < model.count_params()
        True
    """
    trained: Any = model
    encoder = getattr(trained, "encoder", None)
    if encoder is None or encoder.fold() is encoder:
        return model
    plain = encoder.fold()
    config = {**trained.get_config(), "encoder": ENCODERS.config_of(plain)}
    copy = type(trained).from_config({k: v for k, v in config.items() if k != "frozen"})
    for layer, target in zip(trained.layers, copy.layers, strict=True):
        target.set_weights((plain if layer is encoder else layer).get_weights())
        target.trainable = layer.trainable
    return copy
