"""Arbitrary-scale super-resolution for TensorFlow and Keras."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Imported on first use: `tfsr --help` must not wait seconds for TensorFlow.
_EXPORTS = {
    "ImplicitSR": "tfsr.models",
    "Upscaler": "tfsr.inference.upscaler",
    "from_preset": "tfsr.presets",
    "upscale": "tfsr.inference.upscaler",
}

__all__ = ["ImplicitSR", "Upscaler", "__version__", "from_preset", "upscale"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'tfsr' has no attribute {name!r}")
