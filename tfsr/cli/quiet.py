"""Importing TensorFlow without its greetings."""

from __future__ import annotations

import os


def import_keras() -> None:
    """Import Keras and its backend with the process's standard error closed meanwhile.

    TensorFlow's C++ side prints a page of notices when it loads, past Python and past every
    setting it offers, and would bury the one line that matters. A failing import still raises.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved = os.dup(2)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        import keras  # noqa: F401
    finally:
        os.dup2(saved, 2)
        os.close(saved)
