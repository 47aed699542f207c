"""TensorFlow without its notices."""

from __future__ import annotations

import importlib.util
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

STARTED = time.monotonic()
"""When the program began, within a tenth of a second."""


@contextmanager
def silence() -> Iterator[None]:
    """Redirect the process's standard error to /dev/null inside the block.

    TensorFlow's C++ side prints pages of notices when it loads and converts, past Python and every
    setting it offers. Exceptions still propagate.
    """
    saved = os.dup(2)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def import_keras() -> None:
    """Import Keras and its backend in silence: JAX where only that is installed."""
    if importlib.util.find_spec("tensorflow") is None and importlib.util.find_spec("jax"):
        os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Its warnings are for those who write programs with it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with silence():
        import keras  # noqa: F401
