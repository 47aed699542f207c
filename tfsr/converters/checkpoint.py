"""PyTorch checkpoint files, read without PyTorch and without running anything in them.

A checkpoint is a zip archive: `NAME/data.pkl`, a pickle of the values in which each tensor refers
to a storage, and one `NAME/data/KEY` file of raw numbers per storage. A pickle is a program, and
Python's own unpickler, however restricted, lets one set attributes of the objects it allows, grow
its tables without bound or hash a tuple nested until the process dies. So the opcodes are
interpreted here, the few that a checkpoint needs, on values that can do nothing.
"""

from __future__ import annotations

import io
import math
import os
import pickletools
import stat
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from tfsr.errors import CheckpointError

# rdn-liif, the largest published checkpoint, takes 0.27 GB.
_MAX_FILE_BYTES = 4 << 30

# A tensor with its optimizer state takes 200 bytes of the pickle: enough for 5000.
_MAX_PICKLE_BYTES = 1 << 20

# What is read at once. The zip's table of contents must fit, at about 100 bytes a tensor.
_MAX_READ_BYTES = 4 << 20

# The recorded checkpoints nest 6 deep.
_MAX_DEPTH = 32

# NumPy 1's own limit.
_MAX_DIMENSIONS = 32

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
    try:
        with _open(name) as file:
            return _read(file)
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
            f"{name}: damaged, or not a checkpoint of torch.save ({reason}); copy or download it "
            "again"
        ) from error


def _open(name: str) -> _BoundedFile:
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
        return _BoundedFile(name)
    except ValueError as error:  # a null character in the path
        raise CheckpointError(f"cannot be read: {error}") from error


class _BoundedFile(io.FileIO):
    """A file read in pieces of limited size.

    zipfile reads an archive's table of contents at once, whatever size the archive declares.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_READ_BYTES:
            raise CheckpointError(
                f"its zip table of contents declares {size} bytes; at most {_MAX_READ_BYTES} are "
                "read"
            )
        return super().read(size)


def _read(file: _BoundedFile) -> dict[Any, Any]:
    size = os.fstat(file.fileno()).st_size
    beginning = file.read(32)
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise CheckpointError(_describe(beginning)) from None
    with archive:
        content = _Archive(archive, size)
        value = _interpret(content.read("data.pkl"), content.storage)
    if not isinstance(value, dict):
        raise CheckpointError(f"it holds a {type(value).__name__}; save a dictionary of tensors")
    _height(value, 0, {})
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
                    f"its entry {_quote(entry.filename)} is compressed, which torch.save never "
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
            names = ", ".join(_quote(name) for name in list(self._entries)[:3])
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
            raise CheckpointError(f"its entry {_quote(name)} is missing; download it again")
        return self._entries[self._root + name]

    def read(self, name: str) -> bytes:
        with self._archive.open(self._entry(name)) as entry:
            return b"".join(iter(partial(entry.read, _MAX_READ_BYTES), b""))

    def storage(self, reference: Any) -> np.ndarray:
        """The numbers that a pickle's persistent id stands for, as a flat read-only array."""
        tag, kind, key, _, length = reference
        if tag != "storage" or _string(kind) not in _STORAGES:
            raise CheckpointError("it refers to something that is not a storage of numbers")
        _string(key)
        if key not in self._storages:
            self._storages[key] = (kind, self._load(kind, key, length))
        known, array = self._storages[key]
        if known != kind or array.size != length:
            raise CheckpointError(f"its storage {_quote(key)} is described in two ways")
        return array

    def _load(self, kind: str, key: str, length: Any) -> np.ndarray:
        dtype = np.dtype(_STORAGES[kind])
        size = self._entry(f"data/{key}").file_size
        if type(length) is not int or length * dtype.itemsize != size:
            raise CheckpointError(
                f"its storage {_quote(key)} has {size} bytes, which is not the size its data.pkl "
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


def _interpret(pickled: bytes, load_storage: Callable[[Any], np.ndarray]) -> Any:
    """Run a pickle's opcodes on a stack of plain values.

    A global name is pushed as the string "module name" once it is known to be harmless, so that
    no object on the stack can run anything. Opcodes of protocol 2 (what torch.save writes) and
    their counterparts in protocol 4.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def pop_to_mark() -> list[Any]:
        mark = marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items

    argument: Any
    for opcode, argument, _ in pickletools.genops(pickled):
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                marks.append(len(stack))
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "BININT" | "BININT1" | "BININT2" | "BINFLOAT":
                stack.append(argument)
            case "LONG1":
                stack.append(_integer(argument))
            case "BINUNICODE" | "SHORT_BINUNICODE":
                argument.encode()  # pickletools lets half a surrogate pair pass
                stack.append(argument)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                items = [stack.pop() for _ in range(int(opcode.name[-1]))]
                stack.append(tuple(reversed(items)))
            case "TUPLE":
                stack.append(tuple(pop_to_mark()))
            case "APPEND":
                item = stack.pop()
                _extend(stack[-1], [item])
            case "APPENDS":
                items = pop_to_mark()
                _extend(stack[-1], items)
            case "SETITEM":
                item, key = stack.pop(), stack.pop()
                _update(stack[-1], [key, item])
            case "SETITEMS":
                items = pop_to_mark()
                _update(stack[-1], items)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_harmless(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_harmless(f"{_string(module)} {_string(name)}"))
            case "BINPERSID":
                stack.append(load_storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_REBUILDERS[_string(function)](*arguments))
            case "BUILD":
                # PyTorch hangs the modules' versions on a state dict as an attribute.
                stack.pop()
                if not isinstance(stack[-1], dict):
                    raise CheckpointError("its data.pkl sets attributes of something not a dict")
            case "STOP":
                return stack.pop()
            case _:
                if opcode.name == "INST":
                    _harmless(argument)  # says which name, where that is what is wrong
                raise CheckpointError(
                    f"its data.pkl uses the pickle opcode {opcode.name}, which weights do not "
                    "need; nothing was run: save the weights alone (state_dict)"
                )
    raise CheckpointError("its data.pkl is cut short")


def _harmless(name: str) -> str:
    if name not in _STORAGES and name not in _REBUILDERS:
        raise CheckpointError(
            f"its data.pkl names {_quote(name.replace(' ', '.'))}, which weights do not need and "
            "which could run code; nothing was run: save the weights alone (state_dict)"
        )
    return name


def _string(value: Any) -> str:
    # Before it is looked up, as _update says.
    if not isinstance(value, str):
        raise CheckpointError(f"its data.pkl has a {type(value).__name__} for a name")
    return value


def _integer(value: int) -> int:
    if value.bit_length() > 64:
        raise CheckpointError("its data.pkl has an integer beyond 64 bits")
    return value


def _extend(target: Any, items: list[Any]) -> None:
    if type(target) is not list:
        raise CheckpointError(f"its data.pkl appends to a {type(target).__name__}, not to a list")
    target.extend(items)


def _update(target: Any, items: list[Any]) -> None:
    if type(target) is not dict:
        raise CheckpointError(f"its data.pkl sets items of a {type(target).__name__}, not a dict")
    for key, item in zip(items[::2], items[1::2], strict=True):
        # Before it is hashed: a tuple nested a million deep would take the process down.
        if type(key) not in (str, int):
            raise CheckpointError(f"its data.pkl has a {type(key).__name__} for a dictionary key")
        target[key] = item


def _ordered_dict() -> dict[Any, Any]:
    return {}


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, *gradient_and_hooks: Any
) -> np.ndarray:
    """A view of a storage: offset and strides count elements, as in PyTorch."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise CheckpointError("it has a tensor that refers to no storage")
    whole = isinstance(shape, tuple) and isinstance(strides, tuple)
    if not whole or len(shape) != len(strides) or len(shape) > _MAX_DIMENSIONS:
        raise CheckpointError("it has a tensor without a proper shape and strides")
    if any(type(value) is not int or value < 0 for value in (offset, *shape, *strides)):
        raise CheckpointError("it has a tensor whose offset, shape or strides are no counts")
    # Strides of 0 would let a few bytes pose as an array larger than any memory.
    furthest = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    elements = math.prod(shape)
    if elements > storage.size or (elements and furthest >= storage.size):
        raise CheckpointError(
            f"it has a tensor of shape {shape}, strides {strides} and offset {offset}, which does "
            f"not fit in its storage of {storage.size} numbers"
        )
    size = storage.itemsize
    return np.ndarray(
        shape,
        storage.dtype,
        buffer=storage,
        offset=offset * size if elements else 0,
        strides=tuple(step * size for step in strides) if elements else None,
    )


def _rebuild_parameter(tensor: Any, *gradient_and_hooks: Any) -> np.ndarray:
    if not isinstance(tensor, np.ndarray):
        raise CheckpointError("it has a parameter that is not a tensor")
    return tensor


def _height(value: Any, above: int, heights: dict[int, int]) -> int:
    """How deep a value nests others; refused when too deep, or endless because it holds itself."""
    if not isinstance(value, (dict, list, tuple)):
        return 0
    identity = id(value)
    if identity not in heights and above < _MAX_DEPTH:
        heights[identity] = _MAX_DEPTH  # what whoever finds it inside itself sees
        items = value.values() if isinstance(value, dict) else value
        heights[identity] = 1 + max((_height(i, above + 1, heights) for i in items), default=0)
    if above + heights.get(identity, 1) > _MAX_DEPTH:
        raise CheckpointError(
            f"its values nest deeper than {_MAX_DEPTH} levels, or hold themselves"
        )
    return heights[identity]


def _quote(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "...")


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

_REBUILDERS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": _ordered_dict,
    "torch._utils _rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils _rebuild_parameter": _rebuild_parameter,
}
