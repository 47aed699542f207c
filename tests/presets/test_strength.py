"""Two presets of one architecture, and what lies between them."""

import json
import shutil

import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR, from_preset, load_upscaler
from tfsr.errors import InvalidArgument, PresetError
from tfsr.presets import (
    clean_twin,
    interpolate,
    save_preset,
    store,
    twin_reference,
)

IMAGE = tiny.image(12, 10)


def save(directory, config=tiny.MODEL, **metadata):
    save_preset(ImplicitSR.from_config(config), directory, metadata)
    return directory


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return tiny.twins(tmp_path_factory.mktemp("pair"))


def weights(preset, *arguments):
    return from_preset(preset, *arguments).get_weights()


def test_the_ends_have_the_very_weights_of_the_two(pair):
    for strength, preset in zip((0, 1), pair, strict=True):
        found = interpolate(*pair, strength).get_weights()
        assert [a.tobytes() for a in found] == [a.tobytes() for a in weights(preset)]


def test_between_them_weights_are_interpolated(pair):
    clean, robust = pair
    found = interpolate(clean, robust, np.float64(0.25)).get_weights()
    for a, b, w in zip(weights(clean), weights(robust), found, strict=True):
        assert w.dtype == np.float32
        np.testing.assert_allclose(w, 0.75 * a + 0.25 * b, rtol=0, atol=1e-7)
    again = weights(robust, 0.25)
    assert [a.tobytes() for a in again] == [a.tobytes() for a in found]


def test_an_upscaler_takes_a_strength(pair):
    clean, robust = pair
    size = (24, 20)
    expected = load_upscaler(interpolate(clean, robust, 0.5))(IMAGE, size)
    np.testing.assert_array_equal(load_upscaler(robust, strength=0.5)(IMAGE, size), expected)
    with pytest.raises(InvalidArgument, match="strength applies to a preset given by name"):
        load_upscaler(from_preset(robust), strength=0.5)


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan"), "0.5", True])
def test_other_strengths_are_rejected(strength, pair):
    line = "strength must be a number from 0 to 1; received "
    with pytest.raises(InvalidArgument, match=line):
        interpolate(*pair, strength)
    with pytest.raises(InvalidArgument, match=line):
        load_upscaler(pair[1], strength=strength)


def test_two_architectures_are_rejected(pair, tmp_path):
    larger = {**tiny.MODEL, "encoder": {**tiny.MODEL["encoder"], "blocks": 2}}
    other = save(tmp_path / "other", larger)
    with pytest.raises(PresetError) as caught:
        interpolate(pair[0], other, 0.5)
    assert str(caught.value) == (
        f"{pair[0]} and {other} cannot be interpolated: their architectures differ "
        "(encoder.blocks: 1 and 2)"
    )


def test_arguments_of_training_are_no_architecture(pair, tmp_path):
    noisy = {**tiny.MODEL, "decoder": {**tiny.MODEL["decoder"], "noise": True, "seed": 3}}
    interpolate(pair[0], save(tmp_path / "noisy", noisy), 0.5)


def test_a_run_with_branches_can_be_interpolated_with_a_saved_preset(tmp_path):
    from tfsr.models import folded

    config = {**tiny.MODEL, "encoder": {"name": "ecb", "features": 4, "blocks": 1}}
    run = save(tmp_path / "run" / "best", config).parent
    save_preset(folded(from_preset(run)), tmp_path / "packed", {})
    found = interpolate(tmp_path / "packed", run, 0.5).get_weights()
    for a, b in zip(found, weights(tmp_path / "packed"), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


def test_presets_with_a_twin_are_suggested(pair, tmp_path, monkeypatch):
    with pytest.raises(PresetError, match="takes no strength: .* one: faces, photos$"):
        from_preset("faces-mobile", 0.5)
    shipped = shutil.copytree(pair[0].parent, tmp_path / "shipped")
    metadata = json.loads((shipped / "robust" / "metadata.json").read_text())
    metadata["clean"] = "clean"
    (shipped / "robust" / "metadata.json").write_text(json.dumps(metadata))
    monkeypatch.setattr(store, "SHIPPED", shipped)
    with pytest.raises(PresetError, match="^clean: takes no strength: .* one: robust$"):
        from_preset("clean", 0.5)
    assert (clean_twin("robust"), twin_reference("clean", tmp_path)) == ("clean", "clean")
    assert len(weights("robust", 0.5)) == len(weights("clean"))


def test_a_twin_is_found_from_the_presets_own_directory(pair, tmp_path, monkeypatch):
    clean, robust = pair
    (tmp_path / "link").symlink_to(robust)
    monkeypatch.chdir(tmp_path)
    assert clean_twin("link") == str(clean.resolve())
    assert twin_reference(clean, clean.parent / "new") == "../clean"


@pytest.mark.parametrize(
    ("clean", "words"), [("../gone", "'clean' names '../gone', but there is no"), (3, "received 3")]
)
def test_a_twin_that_cannot_be_is_named(clean, words, tmp_path):
    preset = save(tmp_path / "preset", clean=clean)
    with pytest.raises(PresetError, match=f"metadata.json: .*{words}"):
        from_preset(preset, 0.5)
