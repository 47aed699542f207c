"""A checkpoint's pickle: code, lies and excess are refused."""

import codecs
import copy
import functools
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from torch_files import (
    PROTOCOL_2,
    SIX,
    SIX_FLOATS,
    WEIGHT,
    dictionary,
    integer,
    name,
    refusal,
    storage,
    tensor,
    text,
)

from tfsr.converters.checkpoint import read_checkpoint

# What is refused: code.


class Call:
    """Pickles to a call."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


class Innocent:
    pass


def touch(path):
    return f"touch {path}"


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "expected, payload",
    [
        (f"{os.name}.system", lambda path: Call(os.system, touch(path))),
        ("eval", lambda path: Call(eval, f"open({str(path)!r}, 'w')")),
        ("exec", lambda path: Call(exec, f"open({str(path)!r}, 'w')")),
        ("open", lambda path: Call(open, str(path), "w")),
        ("getattr", lambda path: Call(getattr, "", "join")),
        ("functools.partial", lambda path: functools.partial(os.system, touch(path))),
        ("_codecs.encode", lambda path: Call(codecs.encode, "x", "latin1")),
        ("numpy.", lambda path: np.arange(3)),
        ("numpy.dtype", lambda path: np.dtype("f4")),
        ("Innocent", lambda path: Innocent),
        ("bytearray", lambda path: Call(bytearray, 10**12)),
    ],
)
def test_code_is_refused_by_name_and_not_run(save, tmp_path, protocol, expected, payload):
    trace = tmp_path / "trace"
    message = refusal(save(pickle.dumps(payload(trace), protocol)))
    assert expected in message and "nothing was run" in message
    assert not trace.exists()


@pytest.mark.parametrize("instruction", ["GLOBAL", "STACK_GLOBAL", "INST"])
@pytest.mark.parametrize(
    "module, attribute",
    [
        ("os", "system"),
        ("builtins", "getattr"),
        ("collections", "OrderedDict.fromkeys"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch", "_utils._rebuild_tensor_v2"),
        ("torch", "load"),
        ("tfsr.converters.checkpoint", "os.system"),
        ("", ""),
    ],
)
def test_only_whole_known_names_are_accepted(save, tmp_path, instruction, module, attribute):
    trace = tmp_path / "trace"
    command = text(touch(trace))
    program = {
        "GLOBAL": name(module, attribute) + b"(" + command + b"tR.",
        "STACK_GLOBAL": text(module) + text(attribute) + b"\x93(" + command + b"tR.",
        "INST": b"(" + command + f"i{module}\n{attribute}\n.".encode(),
    }[instruction]
    assert repr(f"{module}.{attribute}") in refusal(save(b"\x80\x04" + program))
    assert not trace.exists()


@pytest.mark.parametrize(
    "program, reason",
    [
        (b"(" + name("collections", "OrderedDict") + b"o.", "opcode OBJ"),
        (b"(icollections\nOrderedDict\n.", "opcode INST"),
        (name("collections", "OrderedDict") + b")\x81.", "opcode NEWOBJ"),
        (name("collections", "OrderedDict") + b")}\x92.", "opcode NEWOBJ_EX"),
        (b"\x82\x01.", "opcode EXT1"),
        (b"P0\n.", "opcode PERSID"),
        (b"}2.", "opcode DUP"),
        (b"\x8f.", "opcode EMPTY_SET"),
        (b"\x97.", "opcode NEXT_BUFFER"),
        (name("collections", "OrderedDict") + b"}" + text("x") + b"Nsb.", "sets attributes"),
        (
            name("torch._utils", "_rebuild_tensor_v2") + b"N}" + text("x") + b"Ns\x86b.",
            "not a dict",
        ),
        (tensor(SIX, (6,), (1,)) + b"}b.", "sets attributes"),
        (tensor(SIX, (6,), (1,)) + b"K\x00K\x00s.", "sets items of a ndarray"),
        (name("torch", "FloatStorage") + b")R.", "FloatStorage"),
        (text("posix system") + b")R.", "posix system"),
        (b"N)R.", "NoneType for a name"),
        (b"}Na.", "appends to a dict"),
        (b"])Ns.", "sets items of a list"),
        (b"}K\x01\x85Ns.", "tuple for a dictionary key"),
        (b"}" + text("x") + b"\x8a\x09" + b"\x01" * 9 + b"s.", "64 bits"),
        (b"K\x01K\x02\x93.", "int for a name"),
        (b"\x80\x03}B\x00\x00\x00\x00.", "BINBYTES"),
    ],
)
def test_what_no_checkpoint_needs_is_refused(save, program, reason):
    assert reason in refusal(save(PROTOCOL_2 + program))


def test_a_refused_checkpoint_leaves_nothing_behind(save):
    attack = name("collections", "OrderedDict") + b"}" + text("fromkeys") + b"Nsb."
    refusal(save(PROTOCOL_2 + attack))
    np.testing.assert_array_equal(
        read_checkpoint(save(WEIGHT))["weight"], SIX_FLOATS.reshape(2, 3), strict=True
    )


# What is refused: tensors and storages that lie.


@pytest.mark.parametrize(
    "shape, strides, offset",
    [
        ((7,), (1,), 0),
        ((6,), (1,), 1),
        ((2, 3), (4, 1), 0),
        ((2,), (2**62,), 0),
        ((1,), (1,), 2**62),
        ((2**40,), (0,), 0),
        ((2**20, 2**20, 2**20), (0, 0, 0), 0),
        ((2,), (-1,), 1),
        ((-1,), (1,), 0),
        ((1,), (1,), -1),
        ((2, 3), (1,), 0),
        ((1,) * 33, (1,) * 33, 0),
    ],
)
def test_tensors_outside_their_storage_are_refused(save, shape, strides, offset):
    assert "it has a tensor" in refusal(save(dictionary(w=tensor(SIX, shape, strides, offset))))


@pytest.mark.parametrize(
    "flat, reason",
    [
        (storage("FloatStorage", "0", integer(5)), "not the size"),
        (storage("FloatStorage", "0", integer(2**60)), "not the size"),
        (storage("FloatStorage", "0", integer(-6)), "not the size"),
        (storage("FloatStorage", "0", b"N"), "not the size"),
        (storage("DoubleStorage", "0", integer(6)), "not the size"),
        (storage("FloatStorage", "1", integer(6)), "'data/1' is missing"),
        (storage("FloatStorage", "../data.pkl", integer(6)), "missing"),
        (b"(" + text("module") + b"NNNNtQ", "not a storage"),
        (b"(" + text("storage") + b"NNNNtQ", "NoneType for a name"),
        (b"NQ", "damaged"),
        (b"N", "refers to no storage"),
        (tensor(SIX, (2, 3), (3, 1)), "refers to no storage"),
    ],
)
def test_false_storages_are_refused(save, flat, reason):
    weight = tensor(flat, (6,), (1,))
    assert reason in refusal(save(dictionary(w=weight)))


def test_a_storage_of_two_types_is_refused(save):
    other = tensor(storage("IntStorage", "0", integer(6)), (6,), (1,))
    assert "two ways" in refusal(save(dictionary(a=tensor(SIX, (6,), (1,)), b=other)))


def test_arguments_that_are_no_tensors_are_refused(save):
    rebuild = name("torch._utils", "_rebuild_tensor_v2") + b"("
    assert "shape" in refusal(save(dictionary(w=rebuild + SIX + b"K\x00K\x06K\x01tR")))
    assert "damaged" in refusal(save(dictionary(w=rebuild + SIX + b"tR")))
    parameter = name("torch._utils", "_rebuild_parameter") + b"(NtR"
    assert "not a tensor" in refusal(save(dictionary(w=parameter)))


# What is refused: more work or memory than the file's size explains.


def peak_memory(path):
    tracemalloc.start()
    try:
        message = refusal(path)
        return tracemalloc.get_traced_memory()[1], message
    finally:
        tracemalloc.stop()


def test_a_pickle_that_declares_huge_contents_takes_no_memory(save):
    declared = [b"X\xff\xff\xff\xff", b"\x8d" + b"\xff" * 8, b"\x8e" + b"\x00" * 7 + b"\x01"]
    declared += [b"\x96" + b"\xff" * 7 + b"\x00", b"\x95" + b"\xff" * 8 + b"B\xff\xff\xff\x7f"]
    for program in declared:
        peak, _ = peak_memory(save(b"\x80\x04" + program + b"x."))
        assert peak < 1e6


def test_a_huge_memo_index_takes_no_memory(save):
    path = save(PROTOCOL_2 + b"}r\xff\xff\xff\x7f.")
    tracemalloc.start()
    content = read_checkpoint(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert content == {} and peak < 1e6


def test_entries_that_declare_more_than_the_file_holds(save):
    path = save(WEIGHT)
    content = bytearray(path.read_bytes())
    # The compressed and uncompressed size of the last entry of the table of contents.
    struct.pack_into("<II", content, content.rindex(b"PK\x01\x02") + 20, 2**31, 2**31)
    path.write_bytes(content)
    peak, message = peak_memory(path)
    assert "entries declare" in message and peak < 1e6


def test_entries_that_share_their_bytes(save, tmp_path):
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", WEIGHT)
        archive.writestr("model/data/0", bytes(100_000))
        for key in range(1, 1000):
            shared = copy.copy(archive.filelist[1])
            shared.filename = f"model/data/{key}"
            archive.filelist.append(shared)
    assert "entries declare" in refusal(path)


def test_a_table_of_contents_takes_no_more_memory_than_the_file(tmp_path):
    path = tmp_path / "model.pth"
    # It declares 2 GiB.
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 2**31, 0, 0)
    path.write_bytes(b"PK\x03\x04".ljust(1000, b"\0") + end)
    peak, message = peak_memory(path)
    assert "damaged" in message and peak < 1e6


def test_a_huge_pickle_is_not_read(save):
    peak, message = peak_memory(save(PROTOCOL_2 + b"]" * (2 << 20) + b"."))
    assert "data.pkl has" in message and peak < 2e6


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "model.pth"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    assert "at most" in refusal(path)


def test_compressed_entries_are_refused(save):
    bomb = save(WEIGHT, [bytes(10**7)], compression=zipfile.ZIP_DEFLATED)
    peak, message = peak_memory(bomb)
    assert "is compressed" in message and peak < 1e6


DEEP_TUPLE = b")" + b"\x85" * 50_000


@pytest.mark.parametrize(
    "program",
    [
        DEEP_TUPLE + b".",
        b"]" + DEEP_TUPLE + b"a.",
        b"}" + DEEP_TUPLE + b"Ns.",
        DEEP_TUPLE + b"Q.",
        DEEP_TUPLE + b")R.",
        b"(" + text("storage") + DEEP_TUPLE + text("0") + b"NK\x06tQ.",
        b"}" + text("a") + b"]" * 50_000 + b"a" * 50_000 + b"s.",
        b"}q\x00" + text("a") + b"h\x00s.",
        b"}" + text("a") + b"]q\x00h\x00as.",
    ],
    ids=[
        "result",
        "list",
        "key",
        "id",
        "function",
        "storage",
        "lists",
        "itself",
        "a list in itself",
    ],
)
def test_nesting_without_end_is_refused(save, program):
    # Python's own unpickler dies on some of these: it hashes a tuple by recursion in C.
    refusal(save(PROTOCOL_2 + program))


@pytest.mark.parametrize("depth", [10, 30])
def test_shared_values_count_as_often_as_they_are_reached(depth, save):
    # Each pair holds the one before twice: 2**depth paths lead to the innermost list.
    doubled = b"]" + b"q\x00h\x00\x86" * depth
    path = save(PROTOCOL_2 + b"}" + text("a") + doubled + b"s.")
    if depth == 30:
        assert "more than 1048576 values" in refusal(path)
    else:
        assert len(read_checkpoint(path)["a"]) == 2
