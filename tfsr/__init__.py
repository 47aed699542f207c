"""Arbitrary-scale super-resolution for TensorFlow and Keras."""

import importlib
import sys

import lazy_loader

__version__ = "0.1.0"

# The names are those of __init__.pyi, where type checkers see them. They are imported on first use:
# `tfsr --help` must not wait seconds for TensorFlow.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "keras" in sys.modules:
    # `keras.models.load_model` finds classes that were imported.
    for _module in ("models", "losses", "training.optimizer"):
        importlib.import_module(f"{__name__}.{_module}")
