"""Libraries without their notices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence() -> Iterator[None]:
    """Redirect the process's standard error to /dev/null inside the block.

    TensorFlow's C++ side prints pages of notices when it loads and converts, and Ray's some lines,
    past Python and every setting they offer. Exceptions still propagate.
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
