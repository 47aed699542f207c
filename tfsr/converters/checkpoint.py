"""PyTorch checkpoint files, read without PyTorch and without running anything in them.

A checkpoint is a zip archive: `NAME/data.pkl`, a pickle of the values in which each tensor refers
to a storage, and one `NAME/data/KEY` file of raw numbers per storage. This module is about the
archive; `tfsr.converters.pickles` interprets the pickle.
"""

from __future__ import annotations

import os
import zipfile
from functools import partial
from typing import Any, Literal

import numpy as np

from tfsr.converters.checkpoint_file import (
    MAX_READ_BYTES,
    BoundedFile,
    named_errors,
    open_checkpoint,
)
from tfsr.converters.pickles import STORAGES, interpret, nesting, quote, string, torch_dialect
from tfsr.errors import CheckpointError

# A tensor with its optimizer state takes 200 bytes of the pickle: enough for 5000.
_MAX_PICKLE_BYTES = 1 << 20

_BEGINNINGS = {
    # The number that opened every file of torch.save up to PyTorch 1.5, as a pickled integer.
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": (
        "it is in the format of PyTorch before 1.6, a bare pickle; save it again with a current "
        "PyTorch: torch.save(torch.load(path), path)"
    ),
    b"\x80": (
        "it is a bare pickle, not the zip archive of torch.save; save it again with a current "
        "PyTorch: torch.save(torch.load(path), path)"
    ),
    b"version https://git-lfs": "it is a Git LFS pointer; fetch the file itself with git lfs pull",
    b"PK": "the zip archive is damaged or cut short; copy or download it again",
}


def read_checkpoint(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Read a checkpoint that PyTorch 1.6 or newer, or Lightning, saved.

    Args:
        path: the file, commonly .pth, .pt or .ckpt.

    Returns:
        The saved dictionary, as plain Python values: dict (of OrderedDict too), list, tuple, str,
        int, float, bool and None. A tensor is a read-only NumPy array of its shape and dtype, in
        native byte order; bfloat16, which NumPy lacks, becomes float32. Arrays share memory where
        the tensors did, so that what is returned takes no more memory than the file.

    Raises:
        CheckpointError: if the file cannot be read, is not such a checkpoint, is damaged, or
            names any Python code beyond tensors and dictionaries. Nothing of it is ever run.
    """
    name = os.fspath(path)
    with named_errors(name, "a checkpoint of torch.save"), open_checkpoint(name) as file:
        return _read(file)


def _read(file: BoundedFile) -> dict[Any, Any]:
    size = os.fstat(file.fileno()).st_size
    beginning = file.read(32)
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise CheckpointError(_describe(beginning)) from None
    with archive:
        content = _Archive(archive, size)
        value = interpret(content.read("data.pkl"), torch_dialect(content.storage))
    if not isinstance(value, dict):
        raise CheckpointError(f"it holds a {type(value).__name__}; save a dictionary of tensors")
    nesting(value, 0, {})
    return value


def _describe(beginning: bytes) -> str:
    for magic, description in _BEGINNINGS.items():
        if beginning.startswith(magic):
            return description
    return (
        f"it begins with {beginning[:8]!r} and is not the zip archive of torch.save; give a .pth, "
        ".pt or .ckpt file that PyTorch 1.6 or newer saved"
    )


class _Archive:
    """The files inside a checkpoint."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        self._storages: dict[str, tuple[str, np.ndarray]] = {}
        self._root = self._find_root()
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise CheckpointError(
                    f"its entry {quote(entry.filename)} is compressed, which torch.save never "
                    "does; save it again with PyTorch"
                )
        # Nothing is compressed, so this also bounds entries that share the same bytes.
        declared = sum(entry.file_size for entry in archive.infolist())
        if declared > size:
            raise CheckpointError(
                f"its entries declare {declared} bytes, in a file of {size}; download it again"
            )
        if self._entry("data.pkl").file_size > _MAX_PICKLE_BYTES:
            raise CheckpointError(
                f"its data.pkl has {self._entry('data.pkl').file_size} bytes; at most "
                f"{_MAX_PICKLE_BYTES} are read: save the weights alone (state_dict)"
            )
        self._order = self._find_byte_order()

    def _find_root(self) -> str:
        pickles = [name for name in self._entries if name.endswith("/data.pkl")]
        roots = [name.removesuffix("data.pkl") for name in pickles if name.count("/") == 1]
        if len(roots) != 1:
            names = ", ".join(quote(name) for name in list(self._entries)[:3])
            raise CheckpointError(
                "it is a zip archive, but not of torch.save, which writes one NAME/data.pkl; it "
                f"holds {names or 'nothing'}"
            )
        root = roots[0]
        if any(name.startswith((f"{root}constants.pkl", f"{root}code/")) for name in self._entries):
            raise CheckpointError(
                "it is a TorchScript archive, a compiled program; save its weights instead: "
                "torch.save(torch.jit.load(path).state_dict(), new_path)"
            )
        return root

    def _find_byte_order(self) -> Literal["little", "big"]:
        if self._root + "byteorder" not in self._entries:
            return "little"  # PyTorch before 2.1 recorded none.
        order = self.read("byteorder")
        if order not in (b"little", b"big"):
            raise CheckpointError(f"its byteorder is {order[:16]!r}; it must be 'little' or 'big'")
        return "little" if order == b"little" else "big"

    def _entry(self, name: str) -> zipfile.ZipInfo:
        if self._root + name not in self._entries:
            raise CheckpointError(f"its entry {quote(name)} is missing; download it again")
        return self._entries[self._root + name]

    def read(self, name: str) -> bytes:
        with self._archive.open(self._entry(name)) as entry:
            return b"".join(iter(partial(entry.read, MAX_READ_BYTES), b""))

    def storage(self, reference: Any) -> np.ndarray:
        """The numbers that a pickle's persistent id stands for, as a flat read-only array."""
        tag, kind, key, _, length = reference
        if tag != "storage" or string(kind) not in STORAGES:
            raise CheckpointError("it refers to something that is not a storage of numbers")
        string(key)
        if key not in self._storages:
            self._storages[key] = (kind, self._load(kind, key, length))
        known, array = self._storages[key]
        if known != kind or array.size != length:
            raise CheckpointError(f"its storage {quote(key)} is described in two ways")
        return array

    def _load(self, kind: str, key: str, length: Any) -> np.ndarray:
        dtype = np.dtype(STORAGES[kind])
        size = self._entry(f"data/{key}").file_size
        if type(length) is not int or length * dtype.itemsize != size:
            raise CheckpointError(
                f"its storage {quote(key)} has {size} bytes, which is not the size its data.pkl "
                "declares"
            )
        array = np.frombuffer(self.read(f"data/{key}"), dtype.newbyteorder(self._order))
        array = array.astype(dtype, copy=False)
        if kind == "torch BFloat16Storage":  # the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        elif kind == "torch BoolStorage":
            array = array.astype(bool)
        array.flags.writeable = False
        return array
