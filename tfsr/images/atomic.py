"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: nothing is considered abandoned there.
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.tfsr-[0-9a-f]{16}\.tmp")


def write_atomically(
    name: str, content: bytes | memoryview, *, synchronise: bool = True, replace: bool = True
) -> None:
    """Write a file completely or not at all.

    A file that is replaced leaves its permissions to the new one. Pipes and terminals are written
    into; what is neither they nor a file is an error.

    Args:
        name: path of the file.
        content: all of it.
        synchronise: whether to wait until it has reached the disk.
        replace: whether a file of that name may be replaced.

    Raises:
        FileExistsError: the name exists, and may not be replaced.
        OSError: the file cannot be written.
    """
    mode = _mode_of(name)
    if mode is not None and (not stat.S_ISREG(mode) or _is_of_the_system(name)):
        if not replace and not takes_data(name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        _write_into(name, content)
        return
    with temporary_file(Path(name).parent) as (path, descriptor):
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        if mode is not None:
            with contextlib.suppress(OSError):  # File systems without permissions.
                os.chmod(descriptor, stat.S_IMODE(mode))
        if synchronise:
            os.fsync(descriptor)
        if replace:
            os.replace(path, name)
        else:
            _rename_to_new(path, name)


def takes_data(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a pipe or a device such as a terminal, which is not replaced by a file."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or _is_of_the_system(os.fspath(path))


def _mode_of(name: str) -> int | None:
    try:
        return os.stat(name).st_mode
    except FileNotFoundError:
        return None


def _is_of_the_system(name: str) -> bool:
    """Whether a path such as /dev/stdout names an open file."""
    folder = os.path.realpath(os.path.dirname(name) or ".")
    return folder == "/dev" or folder.startswith("/proc/")


def _write_into(name: str, content: bytes | memoryview) -> None:
    # Without waiting for a reader: a pipe that nobody reads is an error.
    descriptor = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with open(descriptor, "wb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "a device is not written to", name)
        os.set_blocking(descriptor, True)
        file.write(content)


@contextlib.contextmanager
def temporary_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """Create a hidden file to write and then rename; otherwise as `temporary_path`.

    It is written by its descriptor: in a folder of several users its name may become another file.
    """
    # Not by `tempfile`, which makes files that only their owner can read.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    while True:
        path = folder / _new_name()
        descriptor = os.open(path, flags, 0o666)
        try:
            if _is_locked(descriptor, path):
                break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield path, descriptor
    except BaseException:
        _remove(path)
        raise
    finally:
        os.close(descriptor)


def check_space(folder: Path, size: int) -> None:
    """Raise OSError unless the disk of a folder has space for a file of so many bytes.

    HDF5 does not survive a write that fails: the process would end without a message.
    """
    if hasattr(os, "posix_fallocate"):
        with temporary_file(folder) as (path, descriptor):
            os.posix_fallocate(descriptor, 0, size)
            path.unlink()


def _is_locked(descriptor: int, path: Path) -> bool:
    """Lock a new file; False if another process considered it abandoned before."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # A file system without locks: `remove_abandoned` removes nothing there.
        return True


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


def _new_name() -> str:
    # Short whatever the final name is: names are limited to 255 bytes.
    return f".tfsr-{secrets.token_hex(8)}.tmp"


def _create_locked(folder: Path, create: Callable[[Path], object]) -> tuple[Path, int | None]:
    path = folder / _new_name()
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
