"""Pickles of Flax parameters: arrays are read, and everything else is refused and not run."""

import functools
import os
import pickle
import sys
import types

import numpy as np
import pytest
from checks import GOLDENS, golden, section

from tfsr.converters.flax_pickle import is_bare_pickle, read_flax_pickle
from tfsr.errors import CheckpointError

FILE = GOLDENS / "thera_edsr_small.pkl"


class Call:
    """Pickles to a call."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def saved(tmp_path, value, protocol=4):
    path = tmp_path / "model.pkl"
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return path


def refusal(path):
    """The message a file is refused with: one line that begins with its name."""
    with pytest.raises(CheckpointError) as caught:
        read_flax_pickle(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert len(message) < 1000
    return message


def weights_of(tmp_path, parameters, **options):
    return read_flax_pickle(saved(tmp_path, {"model": parameters}, **options)).weights


def test_the_published_form_is_read_exactly():
    found = read_flax_pickle(FILE)
    assert found.settings == {"backbone": "edsr-baseline", "size": "air"}
    expected = section(golden("thera_edsr_small"), "sd/")
    assert set(found.weights) == set(expected)
    for path, array in expected.items():
        np.testing.assert_array_equal(found.weights[path], array, strict=True)
        assert not found.weights[path].flags.writeable


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2", "i4", "u1", "?"])
def test_arrays_of_numbers_are_read(tmp_path, dtype, protocol):
    array = (np.arange(24) % 5).reshape(2, 3, 4).astype(dtype)
    given = {"params": {"a": array, "b": np.asfortranarray(array), "c": array[0, 0, 0]}}
    weights = weights_of(tmp_path, given, protocol=protocol)
    np.testing.assert_array_equal(weights["params/a"], array)
    np.testing.assert_array_equal(weights["params/b"], array)
    np.testing.assert_array_equal(weights["params/c"], array[0, 0, 0])
    assert all(value.dtype.isnative for value in weights.values())


def test_a_frozen_dict_is_its_content(tmp_path, monkeypatch):
    # Flax is not installed: its class is imitated where pickle looks for it.
    module = types.ModuleType("flax.core.frozen_dict")

    class FrozenDict:
        def __reduce__(self):
            return FrozenDict, ({"k": np.float32(3)},)

    FrozenDict.__module__, FrozenDict.__qualname__ = module.__name__, "FrozenDict"
    module.FrozenDict = FrozenDict
    for name in ("flax", "flax.core"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = saved(tmp_path, {"model": FrozenDict()})
    for name in ("flax", "flax.core", module.__name__):
        monkeypatch.delitem(sys.modules, name)
    assert read_flax_pickle(path).weights == {"k": 3}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("expected", "payload"),
    [
        (f"{os.name}.system", lambda path: Call(os.system, f"touch {path}")),
        ("eval", lambda path: Call(eval, f"open({str(path)!r}, 'w')")),
        ("functools.partial", lambda path: functools.partial(os.system, f"touch {path}")),
        ("bytearray", lambda path: Call(bytearray, 10**12)),
        ("numpy.load", lambda path: np.load),
    ],
)
def test_code_is_refused_by_name_and_not_run(tmp_path, protocol, expected, payload):
    trace = tmp_path / "trace"
    message = refusal(saved(tmp_path, payload(trace), protocol))
    assert expected in message and "nothing was run" in message
    assert not trace.exists()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"params": 1}, "under 'model'"),
        ([1], "under 'model'"),
        ({"model": {"params": {"a": 1.5}}}, "'params/a' is a float"),
        ({"model": {1: np.zeros(2)}}, "int for a name"),
        ({"model": {"a": np.array([None, 2])}}, "dtype 'O8'"),
        ({"model": {"a": np.array(["x"])}}, "dtype 'U1'"),
        ({"model": {"a": np.zeros(2, "c8")}}, "dtype 'c8'"),
        ({"model": {"a": np.zeros(2, "f4,f4")}}, "dtype 'V8'"),
    ],
)
def test_what_is_no_tree_of_arrays_is_refused(tmp_path, value, reason):
    assert reason in refusal(saved(tmp_path, value))


RECONSTRUCT = b"cnumpy._core.multiarray\n_reconstruct\n)R"
FLOATS = b"cnumpy\ndtype\n\x8c\x02f4\x85R"


def program(array, protocol=b"\x80\x04"):
    """A pickle whose one parameter is what these opcodes make."""
    return protocol + b"}\x8c\x05model}\x8c\x01a" + array + b"ss."


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (RECONSTRUCT, "without content"),
        (RECONSTRUCT + b"Nb", "without a proper state"),
        (RECONSTRUCT + b"(K\x01K\x02\x85NNC\x08" + bytes(8) + b"tb", "not a number"),
        (RECONSTRUCT + b"(K\x01K\x02\x85" + FLOATS + b"\x89C\x04" + bytes(4) + b"tb", "4 bytes"),
        (RECONSTRUCT + b"(K\x01J\xff\xff\xff\xff\x85" + FLOATS + b"\x89C\x00tb", "(-1,)"),
        (RECONSTRUCT + b"(K\x01N" + FLOATS + b"\x89C\x00tb", "None"),
        (
            RECONSTRUCT + (b"(K\x01K\x01\x85" + FLOATS + b"\x89C\x04" + bytes(4) + b"tb") * 2,
            "twice",
        ),
        (FLOATS + b"(K\x03\x8c\x01?tb", "byte order"),
        (FLOATS, "is a _DType"),
        (b"cflax.core.frozen_dict\nFrozenDict\nK\x01\x85R", "FrozenDict of a int"),
        (b"}Nb", "sets attributes"),
        (b"K\x01Q", "outside it"),
        (b"cnumpy\nndarray\n)R", "numpy ndarray"),
        (b"cnumpy\nndarray\n)\x81", "opcode NEWOBJ"),
        (b"}q\x00\x8c\x01bh\x00s", "contain themselves"),
    ],
)
def test_lies_about_arrays_are_refused(tmp_path, array, reason):
    assert reason in refusal(saved(tmp_path, program(array)))


def test_arrays_that_share_their_bytes_take_no_more_than_the_file(tmp_path):
    one = (
        RECONSTRUCT
        + b"(K\x01M\x00\x10\x85cnumpy\ndtype\n\x8c\x02f4\x85R(K\x03\x8c\x01>tb\x89h\x00tb"
    )
    many = b"".join(b"\x8c\x02%02d" % i + one for i in range(90))
    content = b"B" + (4 * 4096).to_bytes(4, "little") + bytes(4 * 4096) + b"q\x00"
    path = saved(tmp_path, b"\x80\x04" + content + b"}\x8c\x05model}(" + many + b"us.")
    assert "more bytes than the file has" in refusal(path)


@pytest.mark.parametrize("length", [0, 1, 20, 3000, 58000])
def test_a_file_cut_short_is_refused(tmp_path, length):
    refusal(saved(tmp_path, FILE.read_bytes()[:length]))


def test_what_cannot_be_opened_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.pkl"):
        assert refusal(path)


def test_bare_pickles_are_recognised(tmp_path):
    assert is_bare_pickle(FILE)
    assert not is_bare_pickle(GOLDENS / "lmlte_edsr_small.pth")
    assert not is_bare_pickle(saved(tmp_path, {"model": {}}, protocol=2))
