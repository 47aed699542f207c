"""Opening a checkpoint file, and naming it in every error while it is read."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from tfsr.errors import CheckpointError

# rdn-liif, the largest published checkpoint, has 0.27 GB.
_MAX_FILE_BYTES = 4 << 30

# About 100 bytes a tensor; zipfile reads it at once, whatever size the archive declares.
_MAX_DIRECTORY_BYTES = 4 << 20


class CheckpointFile(io.FileIO):
    """A file that can refuse large reads."""

    max_read: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        """As `io.FileIO.read`; more than `max_read` bytes are a CheckpointError."""
        if self.max_read is not None and size is not None and size > self.max_read:
            raise CheckpointError(
                f"its zip directory declares {size} bytes; at most {self.max_read} are read"
            )
        return super().read(size)

    def open_archive(self) -> zipfile.ZipFile:
        """Open the zip archive that this file is, with a directory of limited size.

        Raises:
            zipfile.BadZipFile: if it is none.
        """
        self.max_read = _MAX_DIRECTORY_BYTES
        try:
            return zipfile.ZipFile(self)
        finally:
            self.max_read = None


@contextmanager
def open_checkpoint(path: str | os.PathLike[str], kind: str) -> Iterator[CheckpointFile]:
    """Open a checkpoint file, and turn every error into a CheckpointError that names the file.

    Args:
        path: the file.
        kind: what the file should be, such as "a checkpoint of torch.save".
    """
    name = os.fspath(path)
    try:
        _check_file(name)
        with CheckpointFile(name) as file:
            yield file
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise CheckpointError(f"{name}: not enough memory to read it") from error
    # Damaged bytes raise whatever zipfile, pickletools or NumPy encounters first: BadZipFile,
    # KeyError, EOFError, struct.error, UnicodeDecodeError...
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CheckpointError(
            f"{name}: damaged, or not {kind} ({reason}); copy or download it again"
        ) from error


def _check_file(name: str) -> None:
    # Before opening: opening a named pipe would wait for its writer for ever.
    status = os.stat(name)
    if stat.S_ISDIR(status.st_mode):
        raise CheckpointError("it is a folder; give one checkpoint file")
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError("it is not a regular file; give a checkpoint file")
    if status.st_size == 0:
        raise CheckpointError("the file is empty; copy or download it again")
    if status.st_size > _MAX_FILE_BYTES:
        raise CheckpointError(
            f"it has {status.st_size} bytes; at most {_MAX_FILE_BYTES} are read: save the weights "
            "alone (state_dict)"
        )
