"""Files and folders that appear whole or not at all, and what a killed process left of them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, nothing is taken for abandoned.
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.tfsr-[0-9a-f]{16}\.tmp")


def write_atomically(name: str, content: bytes | memoryview) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    # Not made by `tempfile`, which would leave the file readable by its owner only.
    with temporary(Path(name).parent, lambda path: open(path, "xb").close()) as path:
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, name)


@contextlib.contextmanager
def temporary(folder: Path, make: Callable[[Path], object]) -> Iterator[Path]:
    """A hidden file or folder in another one, to be written and then renamed.

    What is not renamed in the end is removed. What a process leaves that is killed in between,
    `remove_abandoned` removes.

    Args:
        folder: where it is made.
        make: makes the file or folder, by a path that is not there yet.

    Raises:
        OSError: if it cannot be made.
    """
    path, lock = _made(folder, make)
    try:
        yield path
    except BaseException:
        _remove(path)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes were writing in a folder; what others write now stays.

    Nothing is raised: what cannot be removed is in nobody's way.
    """
    try:
        paths = [Path(entry.path) for entry in os.scandir(folder) if _NAME.fullmatch(entry.name)]
    except OSError:
        return
    for path in paths:
        with contextlib.suppress(OSError):
            lock = _lock(path)
            try:
                _remove(path)
            finally:
                os.close(lock)


def _made(folder: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """What is made, and the lock that says that it is in use."""
    # Short whatever the final name is: names are limited to 255 bytes.
    path = folder / f".tfsr-{secrets.token_hex(8)}.tmp"
    make(path)
    try:
        return path, _lock(path)
    except (BlockingIOError, FileNotFoundError):
        # Before it was locked, another process took it for abandoned.
        return _made(folder, make)
    except OSError:  # A file system without locks: `remove_abandoned` gets none either.
        return path, None


def _lock(path: Path) -> int:
    """A descriptor that locks a file or folder until it is closed, or the process is killed.

    Raises:
        BlockingIOError: if another one has it locked.
        FileNotFoundError: if it is not there any more.
        OSError: if it is a link, or there are no locks here.
    """
    if fcntl is None:
        raise OSError("there are no locks on this system")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.stat(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
