"""The weights of a preset: an HDF5 file of the one form that Keras and h5py write.

The HDF5 library follows whatever a file says: it decompresses, opens other files, runs filters over
damaged bytes, and can end the process. Weights need none of it. This reader knows groups and
contiguous float32 arrays, and nothing else.

Reference:
    The HDF Group, HDF5 File Format Specification 3.0, sections II to IV: superblock and object
    headers of versions 0 and 1, groups as B-trees of version 1.
"""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from tfsr.errors import PresetError
from tfsr.presets.hub import MAX_BYTES

_MAX_OBJECTS = 100_000
_MAX_RANK, _MAX_NAME = 8, 256
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK = struct.Struct("<8s8B2HI4Q")
_SYMBOL = struct.Struct("<QQ24x")
# Little-endian IEEE 754 binary32.
_FLOAT32 = bytes.fromhex("11201f00040000000000200017080017 7f000000")
_DATASPACE, _DATATYPE, _LAYOUT, _CONTINUATION, _SYMBOL_TABLE = 0x1, 0x3, 0x8, 0x10, 0x11
_KNOWN = (_DATASPACE, _DATATYPE, _LAYOUT, _SYMBOL_TABLE)
# Messages that change nothing: padding, fill values, attributes and times.
_IGNORED = (0x0, 0x4, 0x5, 0xC, 0xE, 0x12)
_CONTIGUOUS = 1


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a weights file by their paths in it.

    Raises:
        PresetError: a file that is larger than 1 GiB, of another form, or damaged, or a
            weight that is infinite or not a number.
    """
    try:
        # 268 million weights.
        size, limit = os.stat(path).st_size, MAX_BYTES["model.weights.h5"]
        if size > limit:
            raise PresetError(f"{path}: has {size} bytes; at most {limit} are read")
        arrays = dict(_Reader(path.read_bytes()).arrays())
    except OSError as error:
        raise PresetError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Damaged addresses lead out of the file.
    except (_OtherForm, struct.error, ValueError, IndexError) as error:
        raise PresetError(
            f"{path}: cannot be read: {error}; save it by tfsr.presets.save_preset"
        ) from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise PresetError(f"{path}: {name} has a weight that is not finite")
    return arrays


class MemoryFile(io.BytesIO):
    """A weights file in memory, for `load_weights`, which knows a file's kind by its name.

    Args:
        name: the name.
        arrays: by their paths in the file.
    """

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self._name = name
        _write(self, arrays)
        self.seek(0)

    def __str__(self) -> str:
        return self._name


def _write(path: Path | io.BytesIO, arrays: Mapping[str, np.ndarray]) -> None:
    import h5py

    with h5py.File(path, "w", libver=("earliest", "latest")) as file:
        for name, array in arrays.items():
            file[name] = array


def keep_form(path: Path) -> None:
    """Bring a file of a later version of HDF5 into the form that is read; raises OSError."""
    import h5py

    with open(path, "rb") as file:
        if file.read(9) == _SIGNATURE + b"\0":
            return
    arrays: dict[str, np.ndarray] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(take)
    _write(path, arrays)


class _OtherForm(Exception):
    """A part of HDF5 that Keras does not use."""


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.seen: set[int] = set()

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        signature, *versions, _, _, _, base, _, _, _ = _SUPERBLOCK.unpack_from(self.content)
        if signature != _SIGNATURE:
            raise _OtherForm("not an HDF5 file")
        # Versions, then the sizes of addresses and lengths.
        if versions != [0, 0, 0, 0, 0, 8, 8, 0] or base != 0:
            _refuse("a file of another version")
        left = len(self.content)
        _, root = _SYMBOL.unpack_from(self.content, _SUPERBLOCK.size)
        objects = [("", root)]
        while objects:
            path, address = objects.pop()
            messages = self.messages(address)
            if _SYMBOL_TABLE in messages:
                for name, child in self.children(messages[_SYMBOL_TABLE]):
                    objects.append((f"{path}/{name}".lstrip("/"), child))
                continue
            array = self.array(messages)
            left -= array.nbytes
            if left < 0:
                _refuse("arrays that share their bytes")
            yield path, array

    def visit(self, address: int) -> int:
        if address in self.seen or len(self.seen) > _MAX_OBJECTS:
            _refuse("an object with two names, or too many objects")
        if address >= len(self.content):
            raise _OtherForm("it is cut short")
        self.seen.add(address)
        return address

    def messages(self, address: int) -> dict[int, bytes]:
        """The messages of an object header."""
        version, _, length = struct.unpack_from("<B3xII", self.content, self.visit(address))
        if version != 1:
            _refuse("an object of another version")
        blocks, found = [(address + 16, length)], dict[int, bytes]()
        for start, length in blocks:
            end = min(start + length, len(self.content))
            while start + 8 <= end:
                kind, size, flags = struct.unpack_from("<HHB", self.content, start)
                data = self.content[start + 8 : min(start + 8 + size, end)]
                start += 8 + size
                if kind == _CONTINUATION:
                    place, length = struct.unpack("<QQ", data)
                    blocks.append((self.visit(place), length))
                elif kind not in _IGNORED:
                    if kind in found or flags & 2 or kind not in _KNOWN:
                        _refuse(f"a message of kind {kind}")
                    found[kind] = data
        return found

    def children(self, table: bytes) -> Iterator[tuple[str, int]]:
        """The names of a group and the addresses of their objects."""
        tree, heap = struct.unpack("<QQ", table[:16])
        signature, size, _, names = struct.unpack_from("<4s4xQQQ", self.content, self.visit(heap))
        if signature != b"HEAP":
            _refuse("a group without names")
        nodes = [tree]
        while nodes:
            address = self.visit(nodes.pop())
            signature = self.content[address : address + 4]
            if signature == b"TREE":
                kind, number = struct.unpack_from("<BxH", self.content, address + 4)
                if kind != 0:
                    _refuse("a tree of pieces")
                # Between keys that only a search needs.
                entries = struct.unpack_from(f"<{2 * number}Q", self.content, address + 24)
                nodes += entries[1::2]
            elif signature == b"SNOD":
                (number,) = struct.unpack_from("<H", self.content, address + 6)
                for i in range(number):
                    name, child = _SYMBOL.unpack_from(self.content, address + 8 + 40 * i)
                    yield self.name(names + name, names + size), child
            else:
                _refuse("a group of another form")

    def name(self, start: int, end: int) -> str:
        name = self.content[start : min(start + _MAX_NAME, end)].split(b"\0")[0].decode()
        if name in ("", ".", "..") or "/" in name:
            _refuse(f"an object of the name {name!r}")
        return name

    def array(self, messages: dict[int, bytes]) -> np.ndarray:
        if set(messages) != {_DATASPACE, _DATATYPE, _LAYOUT}:
            _refuse("an object that is neither a group nor an array")
        space, layout = messages[_DATASPACE], messages[_LAYOUT]
        version, rank = space[:2]
        if version != 1 or rank > _MAX_RANK or messages[_DATATYPE][:20] != _FLOAT32:
            _refuse("an array of something else than float32")
        shape = struct.unpack_from(f"<{rank}Q", space, 8)
        version, kind, address, length = struct.unpack_from("<BBQQ", layout)
        if (version, kind) != (3, _CONTIGUOUS) or length != 4 * math.prod(shape):
            _refuse("an array that is not stored in one piece")
        if not length:
            return np.zeros(shape, np.float32)
        if address + length > len(self.content):
            raise _OtherForm("it is cut short")
        return np.frombuffer(self.content, "<f4", length // 4, address).reshape(shape)


def _refuse(what: str) -> NoReturn:
    raise _OtherForm(f"it has {what}, which Keras does not write")
