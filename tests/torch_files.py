"""Checkpoints as torch.save writes them, opcode by opcode: no PyTorch is needed to test reading."""

import struct
import zipfile

import numpy as np
import pytest

from tfsr.converters.checkpoint import read_checkpoint
from tfsr.errors import CheckpointError

PROTOCOL_2 = b"\x80\x02"


def text(value):
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def integer(value):
    encoded = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(encoded)]) + encoded


def integers(values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def storage(kind, key, length):
    return b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + length + b"tQ"


def tensor(flat, shape, strides, offset=0):
    hooks = name("collections", "OrderedDict") + b")R"
    arguments = flat + integer(offset) + integers(shape) + integers(strides) + b"\x89" + hooks
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + b"tR"


def dictionary(**items):
    pairs = b"".join(text(key) + value for key, value in items.items())
    return PROTOCOL_2 + b"}(" + pairs + b"u."


SIX_FLOATS = np.arange(6, dtype="<f4")
ONE_STORAGE = [SIX_FLOATS.tobytes()]
SIX = storage("FloatStorage", "0", integer(6))
WEIGHT = dictionary(weight=tensor(SIX, (2, 3), (3, 1)))


def write_archive(path, pickled, storages, root="model", more=None, **options):
    """An archive of a pickle and its storages; `more` are further entries, by name."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr(f"{root}/data.pkl", pickled)
        for key, content in enumerate(storages):
            archive.writestr(f"{root}/data/{key}", content)
        for entry, content in (more or {}).items():
            archive.writestr(f"{root}/{entry}", content)
    return path


def write_checkpoint(path, content):
    """A checkpoint of nested dicts, lists and plain values, with float32 arrays as tensors."""
    storages = []
    pickled = PROTOCOL_2 + _value(content, storages) + b"."
    return write_archive(path, pickled, storages)


def _value(value, storages):
    if isinstance(value, dict):
        pairs = (_value(k, storages) + _value(v, storages) for k, v in value.items())
        return b"}(" + b"".join(pairs) + b"u"
    if isinstance(value, (list, tuple)):
        return b"](" + b"".join(_value(v, storages) for v in value) + b"e"
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, "<f4")
        key = str(len(storages))
        storages.append(array.tobytes())
        strides = [stride // array.itemsize for stride in array.strides]
        return tensor(storage("FloatStorage", key, integer(array.size)), array.shape, strides)
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    return text(value)


def refusal(path):
    """The message a checkpoint is refused with: one line that begins with the file's name."""
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert len(message) < 2000
    return message
