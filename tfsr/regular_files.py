"""Files that end: neither pipes nor devices, and of a limited size."""

from __future__ import annotations

import errno
import os
import stat


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """Read a regular file of at most so many bytes.

    A named pipe would be waited for without end, and a device has no end.

    Args:
        path: the file.
        most: bytes.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger; `strerror` says which.

    Example:
        >>> tfsr.regular_files.read_regular("face.png", 2**20)[1:4]
        b'PNG'
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", os.fspath(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most} bytes", os.fspath(path))
    return content
