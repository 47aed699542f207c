"""Libraries without their notices."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

# Stays open: loggers keep the stream that they find when they are made.
_NOWHERE = open(os.devnull, "w", encoding="utf-8")


@contextmanager
def silence() -> Iterator[None]:
    """Redirect the standard error, Python's and the process's, to /dev/null inside the block.

    TensorFlow's C++ side prints pages of notices when it loads and converts, and Ray some lines,
    past Python and every setting they offer. Exceptions still propagate.
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
