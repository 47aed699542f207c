import itertools
import os
import pickle
import time
import zipfile
import zlib

import numpy as np
import pytest
from checks import GOLDENS, golden, section
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
from tfsr.errors import CheckpointError

# Per recorded checkpoint: its top-level keys, where its weights are, and how many they are, with
# a CRC-32 over the names, shapes and values that the authors' code reported for them.
RECORDED = {
    "liif_edsr_small.pth": (["model", "optimizer", "epoch"], 26, 0x11128D8C),
    "metasr_edsr_small.pth": (["model", "optimizer", "epoch"], 20, 0x163E5D74),
    "lte_edsr_small.pth": (["model", "optimizer", "epoch"], 29, 0x08869B0D),
    "asfsr_edsr_small.pth": (["model", "mlp", "optimizer", "epoch"], 78, 0x1B10A1B5),
    "diinn_edsr_small.ckpt": (
        ["epoch", "global_step", "pytorch-lightning_version", "state_dict", "loops", "callbacks"]
        + ["optimizer_states", "lr_schedulers", "hparams_name", "hyper_parameters"],
        34,
        0xA1AD777D,
    ),
}


def check_plain(value):
    if type(value) is dict:
        assert all(type(key) in (str, int) for key in value)
        value = list(value.values())
    if type(value) in (list, tuple):
        for item in value:
            check_plain(item)
    else:
        assert value is None or type(value) in (bool, int, float, str, np.ndarray)


# What is read.


@pytest.mark.parametrize("file", RECORDED)
def test_recorded_checkpoints_are_read_exactly(file):
    keys, count, fingerprint = RECORDED[file]
    content = read_checkpoint(GOLDENS / file)
    check_plain(content)
    assert list(content) == keys
    if "model" in content:
        weights = content["model"]["sd"]
    else:
        weights = {key.removeprefix("net."): a for key, a in content["state_dict"].items()}
        assert weights.pop("sub").shape == weights.pop("div").shape == (1, 1, 1, 1)
    assert len(weights) == count
    crc = 0
    for key, array in sorted(weights.items()):
        assert array.dtype == np.float32
        crc = zlib.crc32(f"{key}{array.shape}".encode() + array.tobytes(), crc)
    assert crc == fingerprint


def test_recorded_weights_are_those_of_the_golden():
    weights = read_checkpoint(GOLDENS / "liif_edsr_small.pth")["model"]["sd"]
    expected = section(golden("liif_edsr_small"), "sd/")
    assert list(weights) == list(expected)
    for key, array in expected.items():
        np.testing.assert_array_equal(weights[key], array, strict=True)


def test_the_description_of_the_model_is_read():
    model = read_checkpoint(os.fspath(GOLDENS / "lte_edsr_small.pth"))["model"]
    assert model["name"] == "lte"
    assert model["args"] == {
        "encoder_spec": {
            "name": "edsr-baseline",
            "args": {"no_upsampling": True, "n_resblocks": 2, "n_feats": 16},
        },
        "imnet_spec": {"name": "mlp", "args": {"out_dim": 3, "hidden_list": [256, 256, 256]}},
        "hidden_dim": 256,
    }
    options = read_checkpoint(GOLDENS / "diinn_edsr_small.ckpt")["hyper_parameters"]
    assert (options["arch"], options["mode"], options["init_q"]) == ("diinn", 3, False)


def test_the_optimizer_is_read():
    optimizer = read_checkpoint(GOLDENS / "liif_edsr_small.pth")["optimizer"]["sd"]
    assert optimizer["param_groups"][0]["betas"] == (0.9, 0.999)
    assert optimizer["state"][4]["exp_avg"].shape == (16, 3, 3, 3)


@pytest.mark.parametrize("order", ["little", "big", None])
@pytest.mark.parametrize(
    "kind, dtype",
    [("Float", "f4"), ("Double", "f8"), ("Half", "f2"), ("Long", "i8"), ("Int", "i4")]
    + [("Short", "i2"), ("Char", "i1"), ("Byte", "u1"), ("Bool", "?")],
)
def test_storage_types_and_byte_orders(save, kind, dtype, order):
    values = np.array([0, 1, 1, 0, 120, 7], dtype)
    stored = values.astype(values.dtype.newbyteorder(order or "little")).tobytes()
    flat = storage(f"{kind}Storage", "0", integer(6))
    path = save(
        dictionary(weight=tensor(flat, (2, 3), (3, 1))),
        [stored],
        more={"byteorder": order} if order else None,
    )
    weight = read_checkpoint(path)["weight"]
    np.testing.assert_array_equal(weight, values.reshape(2, 3), strict=True)
    assert weight.dtype.isnative


@pytest.mark.parametrize("order", ["little", "big"])
def test_bfloat16_becomes_float32(save, order):
    values = np.float32([0, 1, -1.5, np.inf, 2.0**-126, 3.140625])
    upper_halves = (values.view(np.uint32) >> 16).astype(np.uint16)
    flat = storage("BFloat16Storage", "0", integer(6))
    stored = upper_halves.astype(upper_halves.dtype.newbyteorder(order)).tobytes()
    path = save(dictionary(weight=tensor(flat, (6,), (1,))), [stored], more={"byteorder": order})
    np.testing.assert_array_equal(read_checkpoint(path)["weight"], values, strict=True)


@pytest.mark.parametrize(
    "shape, strides, offset, expected",
    [
        ((3, 2), (1, 3), 0, SIX_FLOATS.reshape(2, 3).T),
        ((2,), (2,), 1, SIX_FLOATS[1:5:2]),
        ((), (), 5, SIX_FLOATS[5]),
        ((0, 3), (3, 1), 0, np.zeros((0, 3), np.float32)),
        ((2, 2), (0, 1), 4, SIX_FLOATS[[[4, 5], [4, 5]]]),
    ],
)
def test_views_of_a_storage(save, shape, strides, offset, expected):
    weight = read_checkpoint(save(dictionary(w=tensor(SIX, shape, strides, offset))))["w"]
    np.testing.assert_array_equal(weight, expected)
    assert weight.shape == shape and weight.dtype == np.float32


def test_arrays_share_memory_as_the_tensors_did_and_are_read_only(save):
    content = read_checkpoint(
        save(dictionary(a=tensor(SIX, (6,), (1,)), b=tensor(SIX, (2, 3), (3, 1))))
    )
    assert np.shares_memory(content["a"], content["b"])
    with pytest.raises(ValueError, match="read-only"):
        content["a"][0] = 1


def test_an_empty_storage_is_read(save):
    flat = storage("FloatStorage", "0", integer(0))
    assert read_checkpoint(save(dictionary(w=tensor(flat, (0,), (1,))), [b""]))["w"].size == 0


def test_parameters_and_state_dict_metadata_are_read(save):
    parameter = (
        name("torch._utils", "_rebuild_parameter")
        + b"("
        + tensor(SIX, (6,), (1,))
        + b"\x88"
        + name("collections", "OrderedDict")
        + b")RtR"
    )
    metadata = b"}" + text("_metadata") + b"}" + b"sb"
    state = name("collections", "OrderedDict") + b")R" + text("w") + parameter + b"s" + metadata
    content = read_checkpoint(save(PROTOCOL_2 + state + b"."))
    assert type(content) is dict and list(content) == ["w"]
    np.testing.assert_array_equal(content["w"], SIX_FLOATS)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_of_every_current_protocol(save, protocol):
    shared = [1, 2**40, -1]
    content = {"a": shared, "b": (shared, None, 1.5, True, "é\n"), 3: {"c": (), "d": [], "e": {}}}
    assert read_checkpoint(save(pickle.dumps(content, protocol), root="archive")) == content


# What is refused: files of another kind, and damage.


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "empty"),
        (b"just some notes\n", "begins with b'just som'"),
        (b"<!DOCTYPE html><title>Sign in</title>", "not the zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1cf7\n", "Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "not the zip archive"),
        (b"PK\x03\x04" + bytes(100), "damaged or cut short"),
        (
            b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little": 1})),
            "before 1.6.*torch.save",
        ),
        (pickle.dumps({"weight": 1}), "bare pickle.*torch.save"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path, content, reason):
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=reason):
        read_checkpoint(path)
    refusal(path)


@pytest.mark.parametrize("entry", ["constants.pkl", "code/__torch__.py"])
def test_torchscript_is_refused(save, entry):
    assert "TorchScript" in refusal(save(WEIGHT, more={entry: b"def forward(self): pass"}))


def test_other_zip_archives_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, weight=np.zeros(3))
    assert "NAME/data.pkl; it holds 'weight.npy'" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", WEIGHT)
        archive.writestr("b/data.pkl", WEIGHT)
    assert "one NAME/data.pkl" in refusal(path)
    with zipfile.ZipFile(path, "w"):
        pass
    assert "it holds nothing" in refusal(path)


def test_a_large_zip_directory_is_refused_unread(tmp_path):
    path = tmp_path / "large.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(70):
            archive.writestr(f"{i:02d}" + 60_000 * "n", b"")
    assert "zip directory declares" in refusal(path)


def test_what_is_no_file(tmp_path):
    assert "No such file" in refusal(tmp_path / "missing.pth")
    assert "folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.pth")
    assert "regular file" in refusal(tmp_path / "pipe.pth")
    with pytest.raises(CheckpointError, match="null"):
        read_checkpoint(f"{tmp_path}/a\0b.pth")


def test_a_strange_byte_order_is_refused(save):
    assert "byteorder" in refusal(save(WEIGHT, more={"byteorder": "middle"}))


def test_a_value_that_is_no_dictionary_is_refused(save):
    assert "holds a list" in refusal(save(PROTOCOL_2 + b"]."))


def test_a_changed_byte_of_a_weight_is_found(save):
    path = save(WEIGHT)
    content = path.read_bytes()
    path.write_bytes(content.replace(SIX_FLOATS.tobytes(), SIX_FLOATS[::-1].tobytes()))
    assert "CRC" in refusal(path)


def test_truncated_files_are_refused(tmp_path):
    content = (GOLDENS / "metasr_edsr_small.pth").read_bytes()
    path = tmp_path / "model.pth"
    ends = [
        *range(0, len(content), len(content) // 30),
        *range(len(content) - 150, len(content), 3),
    ]
    for end in ends:
        path.write_bytes(content[:end])
        refusal(path)


def test_truncated_pickles_are_refused(save):
    for end in range(0, len(WEIGHT), 2):
        refusal(save(WEIGHT[:end]))


def check_survives(path):
    started = time.perf_counter()
    try:
        check_plain(read_checkpoint(path))
    except CheckpointError as error:
        assert str(error).isprintable()
    assert time.perf_counter() - started < 5


def test_any_damage_to_a_file_is_an_error_or_harmless(save, rng):
    path = save(WEIGHT)
    content = path.read_bytes()
    for position in rng.integers(0, len(content), 100):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        check_survives(path)


def test_any_damage_to_a_pickle_is_an_error_or_harmless(save, rng):
    with zipfile.ZipFile(GOLDENS / "metasr_edsr_small.pth") as archive:
        pickled = archive.read("metasr_edsr_small/data.pkl")
        storages = [archive.read(f"metasr_edsr_small/data/{key}") for key in range(20)]
    assert len(read_checkpoint(save(pickled, storages))["model"]["sd"]) == 20
    for _ in range(120):
        damaged = bytearray(pickled)
        for position in rng.integers(0, len(pickled), rng.integers(1, 4)):
            damaged[position] = rng.integers(256)
        check_survives(save(bytes(damaged), storages))


def test_random_programs_are_an_error_or_harmless(save, rng):
    pieces = [SIX, tensor(SIX, (6,), (1,)), text("0"), name("collections", "OrderedDict"), b"("]
    pieces += [name("torch._utils", "_rebuild_parameter"), b"K\x01", b"q\x00", b"h\x00"]
    pieces += [bytes([opcode]) for opcode in b")]}NRQbtaesu\x85\x86\x87\x93\x94."]
    for _ in range(100):
        program = b"".join(pieces[i] for i in rng.integers(0, len(pieces), 30))
        check_survives(save(PROTOCOL_2 + b"}" + program + b"."))
    for program in itertools.product(pieces[-17:], repeat=2):
        check_survives(save(PROTOCOL_2 + b"}" + b"".join(program) + b"."))
