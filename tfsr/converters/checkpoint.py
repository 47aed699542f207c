"""PyTorch checkpoint files, read without PyTorch and without running anything in them.

A checkpoint is a zip archive: `NAME/data.pkl`, a pickle of the values in which each tensor refers
to a storage, and one `NAME/data/KEY` file of raw numbers per storage.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from tfsr.converters.checkpoint_file import open_checkpoint
from tfsr.converters.pickles import MAX_DIMENSIONS, Dialect, interpret, quote, string
from tfsr.errors import CheckpointError

# A tensor with its optimizer state takes 200 bytes of the pickle: enough for 5000.
_MAX_PICKLE_BYTES = 1 << 20

_SAVE_AGAIN = "save it again with a current PyTorch: torch.save(torch.load(path), path)"
_BEGINNINGS = {
    # The number that opened every file of torch.save up to PyTorch 1.5, as a pickled integer.
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": (
        f"it is in the format of PyTorch before 1.6, a bare pickle; {_SAVE_AGAIN}"
    ),
    b"\x80": f"it is a bare pickle, not the zip archive of torch.save; {_SAVE_AGAIN}",
    b"version https://git-lfs": "it is a Git LFS pointer; fetch the file itself with git lfs pull",
    b"PK": "the zip archive is damaged or cut short; copy or download it again",
}

# Storage classes, and how NumPy reads their numbers: bfloat16 and bool are converted afterwards.
_STORAGES = {
    "torch FloatStorage": "f4",
    "torch DoubleStorage": "f8",
    "torch HalfStorage": "f2",
    "torch BFloat16Storage": "u2",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "u1",
}


def read_checkpoint(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Read a checkpoint that PyTorch 1.6 or newer, or Lightning, saved.

    Args:
        path: the file, commonly .pth, .pt or .ckpt.

    Returns:
        The saved dictionary, as plain Python values: dict (of OrderedDict too), list, tuple, str,
        int, float, bool and None. A tensor is a read-only NumPy array of its shape and dtype, in
        native byte order; bfloat16, which NumPy lacks, becomes float32. Arrays share memory where
        the tensors did, so the result takes no more memory than the file.

    Raises:
        CheckpointError: the file cannot be read, is not such a checkpoint, is damaged, or names any
            Python code beyond tensors and dictionaries. Nothing in it is ever run.
    """
    with open_checkpoint(path, "a checkpoint of torch.save") as file:
        size = os.fstat(file.fileno()).st_size
        beginning = file.read(32)
        try:
            archive = file.open_archive()
        except zipfile.BadZipFile:
            raise CheckpointError(_describe(beginning)) from None
        with archive:
            content = _Archive(archive, size)
            dialect = Dialect(
                functions=_FUNCTIONS,
                classes=_STORAGES,
                advice="save the weights alone (state_dict)",
                load=content.storage,
                build=_build,
            )
            value = interpret(content.read("data.pkl"), dialect)
        if not isinstance(value, dict):
            raise CheckpointError(
                f"it holds a {type(value).__name__}; save a dictionary of tensors"
            )
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
    """The entries of a checkpoint."""

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
        pickle_size = self._entry("data.pkl").file_size
        if pickle_size > _MAX_PICKLE_BYTES:
            raise CheckpointError(
                f"its data.pkl has {pickle_size} bytes; at most {_MAX_PICKLE_BYTES} are read: save "
                "the weights alone (state_dict)"
            )
        # PyTorch before 2.1 recorded no byte order.
        recorded = self._root + "byteorder" in self._entries
        order = self.read("byteorder") if recorded else b"little"
        if order not in (b"little", b"big"):
            raise CheckpointError(f"its byteorder is {order[:16]!r}; it must be 'little' or 'big'")
        self._order = "<" if order == b"little" else ">"

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

    def _entry(self, name: str) -> zipfile.ZipInfo:
        if self._root + name not in self._entries:
            raise CheckpointError(f"its entry {quote(name)} is missing; download it again")
        return self._entries[self._root + name]

    def read(self, name: str) -> bytes:
        return self._archive.read(self._entry(name))

    def storage(self, reference: Any) -> np.ndarray:
        """Return the numbers of a persistent id as a flat read-only array."""
        tag, kind, key, _, length = reference
        if tag != "storage" or string(kind) not in _STORAGES:
            raise CheckpointError("it refers to something that is not a storage of numbers")
        if string(key) not in self._storages:
            self._storages[key] = (kind, self._load(kind, key, length))
        known, array = self._storages[key]
        if known != kind or array.size != length:
            raise CheckpointError(f"its storage {quote(key)} is described in two ways")
        return array

    def _load(self, kind: str, key: str, length: Any) -> np.ndarray:
        dtype = np.dtype(_STORAGES[kind])
        size = self._entry(f"data/{key}").file_size
        if type(length) is not int or length * dtype.itemsize != size:
            raise CheckpointError(
                f"its storage {quote(key)} has {size} bytes, which is not the size its data.pkl "
                "declares"
            )
        array = np.frombuffer(self.read(f"data/{key}"), self._order + _STORAGES[kind])
        array = array.astype(dtype, copy=False)
        if kind == "torch BFloat16Storage":  # the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        elif kind == "torch BoolStorage":
            array = array.astype(bool)
        array.flags.writeable = False
        return array


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, *gradient_and_hooks: Any
) -> np.ndarray:
    """Return a view of a storage; offset and strides count elements, as in PyTorch."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise CheckpointError("it has a tensor that refers to no storage")
    tuples = isinstance(shape, tuple) and isinstance(strides, tuple)
    if not tuples or len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise CheckpointError("it has a tensor without a proper shape and strides")
    if any(type(value) is not int or value < 0 for value in (offset, *shape, *strides)):
        raise CheckpointError("it has a tensor whose offset, shape or strides are not counts")
    # Strides of 0 would let a few bytes pose as an array larger than any memory.
    furthest = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    elements = math.prod(shape)
    if elements > storage.size or (elements and furthest >= storage.size):
        raise CheckpointError(
            f"it has a tensor of shape {shape}, strides {strides} and offset {offset}, which does "
            f"not fit in its storage of {storage.size} numbers"
        )
    if not elements:
        return storage[:0].reshape(shape)
    strides = tuple(step * storage.itemsize for step in strides)
    return np.ndarray(shape, storage.dtype, storage, offset * storage.itemsize, strides)


def _rebuild_parameter(tensor: Any, *gradient_and_hooks: Any) -> np.ndarray:
    if not isinstance(tensor, np.ndarray):
        raise CheckpointError("it has a parameter that is not a tensor")
    return tensor


def _ordered_dict() -> dict[Any, Any]:
    return {}


def _build(target: Any, state: Any) -> None:
    # PyTorch sets the modules' versions as an attribute of a state dict; they are ignored.
    if not isinstance(target, dict):
        raise CheckpointError("its pickle sets attributes of something not a dict")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": _ordered_dict,
    "torch._utils _rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils _rebuild_parameter": _rebuild_parameter,
}
