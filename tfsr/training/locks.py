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

    Returns:
        The descriptor, which holds the lock until all its copies are closed; None if another
        process holds it.
    """
    if fcntl is None:
        raise TrainingError("a queue needs file locks, which this system does not have")
    return _locked(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), fcntl.LOCK_EX)


def lock_folder(path: Path) -> int | None:
    """Lock a folder itself, as `lock` does a file; -1 on a file system without such locks."""
    if fcntl is None:
        return -1
    try:
        return _locked(os.open(path, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX)
    except OSError:
        return -1


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file; False if there is no such file."""
    if fcntl is None:
        return False
    try:
        # Shared, so that two processes that look at once do not see each other.
        held = _locked(os.open(path, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_SH)
    except OSError:
        return False
    if held is not None:
        os.close(held)
    return held is None


def _locked(descriptor: int, kind: int) -> int | None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return descriptor
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
