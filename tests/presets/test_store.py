import hashlib
import json
import math
import os
import shutil

import h5py
import keras
import numpy as np
import pytest
import tiny
from privileges import ordinary

from tfsr import ImplicitSR, from_preset
from tfsr.errors import PresetError
from tfsr.images import to_float
from tfsr.presets import DEFAULT, names, read_metadata, save_preset
from tfsr.presets.weights_file import keep_form, read_weights

FILES = ("config.json", "model.weights.h5", "metadata.json")
IMAGE = to_float(tiny.image(12, 10))[None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model, and the preset made of it. Shared: damage copies only."""
    keras.utils.set_random_seed(0)
    model = ImplicitSR.from_config(tiny.MODEL)
    directory = tmp_path_factory.mktemp("presets") / "tiny"
    save_preset(model, directory, {"name": "tiny", "origin": "the test"})
    return model, directory


@pytest.fixture
def preset(saved, tmp_path):
    return shutil.copytree(saved[1], tmp_path / "preset")


def sign(preset):
    """Make the metadata's checksums those of the files that are there."""
    metadata = json.loads((preset / "metadata.json").read_text())
    metadata["sha256"] = {
        name: hashlib.sha256((preset / name).read_bytes()).hexdigest() for name in FILES[:2]
    }
    (preset / "metadata.json").write_text(json.dumps(metadata))


def check_refused(preset, *words):
    with pytest.raises(PresetError) as caught:
        from_preset(preset)
    line = str(caught.value)
    assert "\n" not in line
    assert line.count("config.json: ") < 2
    for word in words:
        assert str(word) in line


def test_a_loaded_preset_has_the_models_output(saved):
    model, directory = saved
    copy = from_preset(str(directory))
    np.testing.assert_array_equal(copy.upscale(IMAGE, (31, 27)), model.upscale(IMAGE, (31, 27)))


def test_a_preset_is_three_files_and_a_model_card(saved):
    _, directory = saved
    assert {path.name for path in directory.iterdir()} == {*FILES, "README.md"}
    metadata = read_metadata(directory)
    assert (metadata["name"], metadata["origin"]) == ("tiny", "the test")
    config = json.loads((directory / "config.json").read_text())
    assert set(config) == {"encoder", "decoder"}


def test_neither_optimizer_nor_precision_is_saved(saved, tmp_path):
    model = ImplicitSR.from_config({**tiny.MODEL, "dtype": "mixed_bfloat16"})
    model.compile(optimizer="adam", loss="mae")
    model.optimizer.build(model.trainable_variables)
    save_preset(model, tmp_path / "preset", {})
    copy = from_preset(tmp_path / "preset")
    assert copy.dtype_policy.name == "float32"
    for expected, found in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)

    values = []
    with h5py.File(tmp_path / "preset" / "model.weights.h5") as file:
        file.visititems(
            lambda name, item: values.append(item.size) if isinstance(item, h5py.Dataset) else None
        )
        assert not [name for name in file if "optimizer" in name]
    assert sum(values) == model.count_params()


def test_saving_over_a_preset_replaces_it(preset):
    other = ImplicitSR.from_config(tiny.MODEL)
    save_preset(other, preset, {"name": "other"})
    assert read_metadata(preset)["name"] == "other"
    for expected, found in zip(other.get_weights(), from_preset(preset).get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert {path.name for path in preset.iterdir()} == {*FILES, "README.md"}


def test_a_file_in_the_directorys_place_is_named(saved, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for place in ("file", "file/preset"):
        with pytest.raises(PresetError, match="file"):
            save_preset(saved[0], tmp_path / place, {})
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("name", FILES[:2])
def test_a_changed_byte_is_found(name, preset):
    content = bytearray((preset / name).read_bytes())
    content[len(content) // 2] ^= 1
    (preset / name).write_bytes(content)
    check_refused(preset, preset / name, "sha256")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name, preset):
    (preset / name).unlink()
    check_refused(preset, preset, name)


@pytest.mark.parametrize("name", FILES)
def test_the_checksum_decides_not_where_a_link_leads(name, preset, tmp_path):
    shutil.move(preset / name, tmp_path / name)
    (preset / name).symlink_to(tmp_path / name)
    assert from_preset(preset).count_params() > 0
    if name != "metadata.json":
        (tmp_path / name).write_bytes(b"other")
        check_refused(preset, preset / name)


def test_a_link_to_the_directory_itself_is_fine(preset, tmp_path):
    (tmp_path / "link").symlink_to(preset)
    assert from_preset(tmp_path / "link").count_params() > 0


@pytest.mark.parametrize(
    "checksums",
    [
        {"../config.json": "0", "model.weights.h5": "0"},
        {"config.json": "0", "model.weights.h5": "0", "/etc/hostname": "0"},
        {"config.json": "0"},
        {},
        ["config.json", "model.weights.h5"],
        None,
    ],
)
def test_metadata_names_the_two_files_and_no_others(checksums, preset):
    (preset / "metadata.json").write_text(json.dumps({"sha256": checksums}))
    check_refused(preset, preset / "metadata.json", "sha256")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000], ids=lambda c: repr(c[:5])
)
@pytest.mark.parametrize("name", ["config.json", "metadata.json"])
def test_other_than_a_json_object_is_named(name, content, preset):
    (preset / name).write_bytes(content)
    if name == "config.json":
        sign(preset)
    check_refused(preset, preset / name)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"encoder": "edsr"},
        {**tiny.MODEL, "encoder": "ersr"},
        {**tiny.MODEL, "encoder": 5},
        {**tiny.MODEL, "decoder": {"name": "arasfsr", "hiden": [8]}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "features": "many"}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "features": -8}},
        {**tiny.MODEL, "extra": 1},
        # Layers and numbers without end.
        {**tiny.MODEL, "encoder": {"name": "edsr", "features": 1, "blocks": 10**6}},
        {**tiny.MODEL, "encoder": {"name": "rdn", "blocks": 900, "layers": 900}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "features": 10**5}},
        {**tiny.MODEL, "decoder": {"name": "metasr", "bandwidth": 10**12}},
        {**tiny.MODEL, "decoder": {"name": "liif", "hidden": [1] * 10**5}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "blocks": [2]}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "blocks": {"a": 2}}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "residual_scale": 1e999}},
        {**tiny.MODEL, "encoder": {"name": "edsr", "residual_scale": math.nan}},
    ],
)
def test_a_configuration_of_no_model_is_named(config, preset):
    (preset / "config.json").write_text(json.dumps(config))
    sign(preset)
    check_refused(preset, preset / "config.json")


def test_weights_that_do_not_fit_are_named(preset):
    wider = {**tiny.MODEL, "encoder": {**tiny.MODEL["encoder"], "features": 12}}
    (preset / "config.json").write_text(json.dumps(wider))
    sign(preset)
    check_refused(preset, preset, "model.weights.h5", "more than")


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_weights_that_are_no_hdf5_are_named(content, preset):
    (preset / "model.weights.h5").write_bytes(content)
    sign(preset)
    check_refused(preset, preset / "model.weights.h5")


def test_half_the_weights_are_named(preset):
    whole = (preset / "model.weights.h5").read_bytes()
    (preset / "model.weights.h5").write_bytes(whole[: len(whole) // 2])
    sign(preset)
    check_refused(preset, preset / "model.weights.h5")


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_damaged_weights_are_named_whatever_hdf5_makes_of_them(place, preset):
    """By somebody who made the checksums right: HDF5's own errors are of every kind."""
    path = preset / "model.weights.h5"
    content = bytearray(path.read_bytes())
    # The tables that say where the groups of weights lie.
    tables = [i for i in range(len(content)) if content[i : i + 4] in (b"SNOD", b"TREE", b"HEAP")]
    start = tables[int(place * len(tables))]
    content[start : start + 4] = b"none"
    path.write_bytes(content)
    sign(preset)
    check_refused(preset, path, "cannot be read")


def test_a_key_that_stands_twice_is_named(preset):
    text = json.dumps(tiny.MODEL)
    (preset / "config.json").write_text(text[:-1] + ', "encoder": "edsr"}')
    sign(preset)
    check_refused(preset, preset / "config.json", "twice")


@pytest.mark.parametrize("name", FILES[::2])
def test_descriptions_are_not_read_without_end(name, preset):
    os.truncate(preset / name, 2**31)
    check_refused(preset, preset / name)


def _first_array(file):
    name = next(name for name in _arrays(file) if file[name].ndim == 4)
    return name, file[name][()]


def _arrays(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
    return names


def _stored(**options):
    """Store the first kernel otherwise."""

    def change(file):
        name, value = _first_array(file)
        del file[name]
        file.create_dataset(name, data=value, **options)

    return change


def _set(number):
    def change(file):
        name, value = _first_array(file)
        value[0, 0, 0, 0] = number
        file[name][...] = value

    return change


def _unwritten(file):
    name, value = _first_array(file)
    del file[name]
    file.create_dataset(name, value.shape, "f4")


def _external(file):
    name, value = _first_array(file)
    del file[name]
    file.create_dataset(name, value.shape, "f4", external=[("/etc/hostname", 0, value.nbytes)])


def _link(link):
    def change(file):
        name, _ = _first_array(file)
        del file[name]
        file[name] = link

    return change


def _circle(file):
    file["encoder/again"] = file["encoder"]


def _more(file):
    file["encoder/more"] = np.zeros(3, "f4")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_stored(chunks=True), "not stored in one piece"),
        (_stored(compression="gzip"), "kind 11"),
        (_stored(dtype="f8"), "something else than float32"),
        (_stored(dtype=">f4"), "something else than float32"),
        (_unwritten, "cut short"),
        (_external, "kind 7"),
        (_link(h5py.SoftLink("/encoder")), "cut short"),
        (_link(h5py.ExternalLink("/etc/hostname", "/")), "kind 2"),
        (_circle, "two names"),
        (_more, "more weights"),
        (_set(np.nan), "not finite"),
        (_set(-np.inf), "not finite"),
    ],
)
def test_weights_of_another_form_are_named(change, word, preset):
    path = preset / "model.weights.h5"
    with h5py.File(path, "a") as file:
        change(file)
    sign(preset)
    check_refused(preset, path, word)


def test_weights_of_a_later_hdf5_are_saved_in_the_form_that_is_read(saved, tmp_path):
    name, value = "layer/vars/0", np.ones((2, 3), "f4")
    path = tmp_path / "later.weights.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file[name] = value
    with pytest.raises(PresetError, match="another version"):
        read_weights(path)
    keep_form(path)
    np.testing.assert_array_equal(read_weights(path)[name], value)


def test_weights_are_not_read_without_end(preset):
    path = preset / "model.weights.h5"
    os.truncate(path, 2**30 + 1)
    check_refused(preset, path, "at most 1073741824")
    with pytest.raises(PresetError, match="at most 1073741824 are read"):
        read_weights(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_may_not_be_read_is_named(name, preset):
    (preset / name).chmod(0)
    with ordinary():
        check_refused(preset, preset / name, "Permission denied")


def test_a_directory_that_is_no_preset_is_named(tmp_path):
    check_refused(tmp_path, tmp_path, "metadata.json")


def test_unknown_names_are_reported_with_the_known_ones(tmp_path):
    check_refused("nowhere", "nowhere", *names())
    check_refused("photos-clea", "Did you mean 'photos-clean'?")


def test_the_default_is_shipped():
    assert DEFAULT in names()


@pytest.mark.parametrize("name", names())
def test_shipped_presets_upscale_and_have_provenance(name):
    model, metadata = from_preset(name), read_metadata(name)
    # At its own size a trained model's output is near the image.
    assert np.abs(model.upscale(IMAGE, (12, 10)) - IMAGE).mean() < 0.05
    assert metadata["name"] == name
    assert metadata["parameters"] == model.count_params()
    assert metadata["provenance"]["licence"]
    for figures in metadata["quality"]["from"].values():
        assert figures["psnr"] > figures["bicubic"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_not_finite_are_named(number, preset):
    (preset / "metadata.json").write_text(f'{{"quality": {{"images": {number}}}}}')
    check_refused(preset, preset / "metadata.json", "finite")
