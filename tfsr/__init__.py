"""Arbitrary-scale super-resolution for TensorFlow and Keras."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Imported on first use: `tfsr --help` must not wait seconds for TensorFlow.
_EXPORTS = {
    "ImplicitSR": "tfsr.models",
    "from_preset": "tfsr.presets",
}

__all__ = ["ImplicitSR", "__version__", "from_preset"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'tfsr' has no attribute {name!r}")
