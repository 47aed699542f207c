"""Locks that the kernel releases however their holder ends."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]

from tfsr.errors import TrainingError


def lock(path: Path) -> int | None:
    """Lock a file, made if it does not exist, for this process and those that inherit it.

    Args:
        path: of the file.

    Returns:
        The descriptor, which holds the lock until all its copies are closed; None if another
        process holds it.

    Raises:
        OSError: if the file cannot be opened.
        TrainingError: if this system has no such locks.
    """
    if fcntl is None:
        raise TrainingError("a queue needs file locks, which this system does not have")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file; False if there is no such file."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look at once do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
