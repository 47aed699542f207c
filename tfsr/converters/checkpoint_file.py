"""Opening a checkpoint file, and naming it in whatever goes wrong while it is read."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from tfsr.errors import CheckpointError

# rdn-liif, the largest published checkpoint, takes 0.27 GB.
_MAX_FILE_BYTES = 4 << 30

MAX_READ_BYTES = 4 << 20
"""The most bytes that are read at once.

The table of contents of a zip archive must fit, at about 100 bytes a tensor.
"""


@contextmanager
def named_errors(name: str, kind: str) -> Iterator[None]:
    """Make a CheckpointError of one line, which begins with the file's name, of any error.

    Args:
        name: of the file.
        kind: what the file should be, such as "a checkpoint of torch.save".
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise CheckpointError(f"{name}: reading it needs more memory than there is") from error
    # Damaged bytes raise whatever zipfile, pickletools or NumPy first stumbles over: BadZipFile,
    # KeyError, EOFError, struct.error, UnicodeDecodeError... All mean the same to the user.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CheckpointError(
            f"{name}: damaged, or not {kind} ({reason}); copy or download it again"
        ) from error


def open_checkpoint(name: str) -> BoundedFile:
    """Open a checkpoint file.

    Raises:
        CheckpointError: if it is a folder, no regular file, empty, or too large.
        OSError: if the system cannot open it.
    """
    try:
        # Looked at before it is opened: opening a named pipe would wait for its writer for ever.
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise CheckpointError("it is a folder; give one checkpoint file")
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError("it is not a regular file; give a checkpoint file")
        if status.st_size == 0:
            raise CheckpointError("the file is empty; copy or download it again")
        if status.st_size > _MAX_FILE_BYTES:
            raise CheckpointError(
                f"it has {status.st_size} bytes; at most {_MAX_FILE_BYTES} are read: save the "
                "weights alone (state_dict)"
            )
        return BoundedFile(name)
    except ValueError as error:  # a null character in the path
        raise CheckpointError(f"cannot be read: {error}") from error


class BoundedFile(io.FileIO):
    """A file read in pieces of limited size.

    zipfile reads an archive's table of contents at once, whatever size the archive declares.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; of more than `MAX_READ_BYTES` a CheckpointError."""
        if size is not None and size > MAX_READ_BYTES:
            raise CheckpointError(
                f"its zip table of contents declares {size} bytes; at most {MAX_READ_BYTES} are "
                "read"
            )
        return super().read(size)
