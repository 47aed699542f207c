"""Checkpoints as torch.save writes them, opcode by opcode: no PyTorch is needed to test reading."""

import struct
import zipfile

import numpy as np


def write_checkpoint(path, content):
    """Write nested dicts, lists and plain values, with float32 arrays as tensors."""
    storages = []
    pickled = b"\x80\x02" + _value(content, storages) + b"."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, storage in enumerate(storages):
            archive.writestr(f"archive/data/{key}", storage.tobytes())
    return path


def _value(value, storages):
    if isinstance(value, dict):
        pairs = (_value(k, storages) + _value(v, storages) for k, v in value.items())
        return b"}(" + b"".join(pairs) + b"u"
    if isinstance(value, (list, tuple)):
        return b"](" + b"".join(_value(v, storages) for v in value) + b"e"
    if isinstance(value, np.ndarray):
        return _tensor(np.ascontiguousarray(value, "<f4"), storages)
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _tensor(array, storages):
    key = _value(str(len(storages)), storages)
    storages.append(array)
    storage = b"(" + _value("storage", storages) + b"ctorch\nFloatStorage\n" + key
    storage += _value("cpu", storages) + _value(array.size, storages) + b"tQ"
    strides = [stride // array.itemsize for stride in array.strides]
    shape, steps = (
        b"(" + b"".join(_value(n, storages) for n in numbers) + b"t"
        for numbers in (array.shape, strides)
    )
    arguments = storage + _value(0, storages) + shape + steps + b"\x89"
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + hooks + b"tR"
