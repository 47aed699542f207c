"""Files and folders that appear complete or not at all."""

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
except ImportError:  # Windows has no such locks: nothing is considered abandoned there.
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.tfsr-[0-9a-f]{16}\.tmp")


def write_atomically(name: str, content: bytes | memoryview, replace: bool = True) -> None:
    """Write a file completely or not at all.

    Raises:
        FileExistsError: the name exists, and may not be replaced.
        OSError: the file cannot be written.
    """
    # Not by `tempfile`, which makes files that only their owner can read.
    with temporary_path(Path(name).parent, lambda path: open(path, "xb").close()) as path:
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(path, name)
        else:
            _rename_to_new(path, name)


@contextlib.contextmanager
def temporary_path(folder: Path, create: Callable[[Path], object]) -> Iterator[Path]:
    """Create a hidden file or folder to write and then rename; removed on an exception.

    It is locked meanwhile: what a killed process leaves is removed by `remove_abandoned`.
    `create` must fail if the path exists.
    """
    path, lock = _create_locked(folder, create)
    try:
        yield path
    except BaseException:
        _remove(path)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of killed processes, not those of running ones; never raises."""
    with contextlib.suppress(OSError):
        for path in [Path(entry) for entry in os.scandir(folder) if _NAME.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                lock = _lock(path)
                try:
                    _remove(path)
                finally:
                    os.close(lock)


def _rename_to_new(path: Path, name: str) -> None:
    """Rename a file unless something has the new name, in one step that no other can come between.

    Raises:
        FileExistsError: something has the name.
    """
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links: its name is taken first.
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            os.replace(path, name)
        except BaseException:
            os.unlink(name)
            raise
    else:
        os.unlink(path)


def _create_locked(folder: Path, create: Callable[[Path], object]) -> tuple[Path, int | None]:
    # Short whatever the final name is: names are limited to 255 bytes.
    path = folder / f".tfsr-{secrets.token_hex(8)}.tmp"
    create(path)
    try:
        return path, _lock(path)
    except (BlockingIOError, FileNotFoundError):
        # Another process considered it abandoned before it was locked.
        return _create_locked(folder, create)
    except OSError:  # A file system without locks: `remove_abandoned` removes nothing there.
        return path, None


def _lock(path: Path) -> int:
    """Lock an existing file or folder until the descriptor is closed or the process ends."""
    if fcntl is None:
        raise OSError("no file locks on this system")
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
