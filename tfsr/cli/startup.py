"""TensorFlow without its notices."""

from __future__ import annotations

import importlib.util
import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from tfsr.errors import InvalidArgument

_BACKENDS = ("tensorflow", "jax", "torch")

STARTED = time.monotonic()
"""When the program began, within a tenth of a second."""


# Stays open: loggers keep the stream that they find when they are made.
_NOWHERE = open(os.devnull, "w", encoding="utf-8")


@contextmanager
def silence() -> Iterator[None]:
    """Redirect the standard error, Python's and the process's, to /dev/null inside the block.

    TensorFlow's C++ side prints pages of notices when it loads and converts, past Python and every
    setting it offers. Exceptions still propagate.
    """
    with redirect_stderr(_NOWHERE), _without_descriptor():
        yield


@contextmanager
def own_lines_only() -> Iterator[None]:
    """Inside the block, only Python prints to the standard error.

    C libraries write what they think of a file to its descriptor. To see that, set
    TF_CPP_MIN_LOG_LEVEL=0.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    if not isinstance(sys.stderr, io.TextIOWrapper) or sys.stderr.fileno() != 2:
        with _without_descriptor():
            yield
        return
    sys.stderr.flush()
    own = open(os.dup(2), "w", 1, encoding=sys.stderr.encoding, errors="backslashreplace")
    with own, redirect_stderr(own), _without_descriptor():
        yield


@contextmanager
def _without_descriptor() -> Iterator[None]:
    saved = os.dup(2)
    try:
        os.dup2(_NOWHERE.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


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
    with silence():
        import keras  # noqa: F401
