"""Arbitrary-scale super-resolution for TensorFlow and Keras."""

import importlib
import sys

import lazy_loader

__version__ = "0.1.0"

# The names are those of __init__.pyi, where type checkers see them. They are imported on first use:
# `tfsr --help` must not wait seconds for TensorFlow.
_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name in __all__ or name.startswith("_"):
        return _attribute(name)
    hints = importlib.import_module(f"{__name__}.hints")
    line = hints.attribute_hint(__name__, name) or (
        "to begin with, it has from_preset (a Keras model), load_upscaler (whatever upscales), "
        "upscale (one image), presets and models"
    )
    raise AttributeError(f"module 'tfsr' has no attribute {name!r}: {line}", name=name)


if sys.modules.get("keras") is not None:
    # `keras.models.load_model` finds classes that were imported.
    for _module in ("models", "losses", "training.optimizer"):
        importlib.import_module(f"{__name__}.{_module}")
