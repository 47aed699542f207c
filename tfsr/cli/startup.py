"""TensorFlow without its notices."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tfsr.errors import InvalidArgument
from tfsr.inference.silence import silence
from tfsr.interruptible import interruptible

_BACKENDS = ("tensorflow", "jax", "torch")
# What Keras and TensorFlow import where it is installed, for functions that no command calls.
_UNUSED = ("jax", "matplotlib", "pandas", "sklearn")

STARTED = time.monotonic()
"""When the program began, within a tenth of a second."""


def choose_backend() -> None:
    """Set Keras's backend, before anything imports it: JAX where only that is installed.

    The environment's KERAS_BACKEND holds. ~/.keras/keras.json does not: it may be there for other
    programs.

    Raises:
        InvalidArgument: if the environment names a backend that is not installed.
    """
    installed = [name for name in _BACKENDS if importlib.util.find_spec(name)]
    default = next(iter(installed), "tensorflow")
    chosen = os.environ.get("KERAS_BACKEND") or default
    if chosen != default and chosen not in installed:
        raise InvalidArgument(
            f"KERAS_BACKEND must be an installed backend ({', '.join(installed) or 'none is'}); "
            f"received {chosen!r}: install it, or unset the variable"
        )
    os.environ["KERAS_BACKEND"] = chosen


def import_keras() -> None:
    """Import Keras and its backend in silence."""
    choose_backend()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Its warnings are for those who write programs with it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with silence(), _hidden({*_UNUSED} - {os.environ["KERAS_BACKEND"]}):
        # In another thread: an exception that reached the C++ code of TensorFlow would end the
        # process without a word.
        interruptible(importlib.import_module, "keras")


@contextmanager
def _hidden(names: set[str]) -> Iterator[None]:
    """Take modules for not installed meanwhile, unless they have been imported already."""
    hidden = names - set(sys.modules)
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
