import json
import shutil

import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.errors import PresetError
from tfsr.presets import check_files, names, save_preset
from tfsr.presets.description import describe


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Shared: damage copies only."""
    directory = tmp_path_factory.mktemp("presets") / "mine"
    save_preset(ImplicitSR.from_config(tiny.MODEL), directory, {})
    return directory


@pytest.fixture
def preset(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "mine")


def rewrite(preset, **metadata):
    path = preset / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **metadata}))


@pytest.mark.parametrize("name", names())
def test_shipped_presets_have_all_that_is_listed(name):
    found = describe(name)
    assert found["name"] == name
    for key in ("purpose", "parameters", "licence", "steps", "commit"):
        assert found[key]
    assert all(figures["gain"] > 0 for figures in found["quality"]["from"].values())
    assert [file["matches"] for file in found["files"]] == [True, True]


def test_the_gain_is_over_bicubic():
    figures = describe("arasfsr-compact-faces-v1")["quality"]["from"]["128"]
    assert figures == {"psnr": 35.321, "bicubic": 31.994, "gain": 3.327}


def test_a_preset_without_metadata_has_a_name_and_files(preset):
    found = describe(preset)
    assert (found["name"], found["purpose"], found["quality"]["from"]) == ("mine", None, {})
    for file in found["files"]:
        assert file["bytes"] == (preset / file["name"]).stat().st_size


@pytest.mark.parametrize("value", [5, "text", [1], {"from": 3}, {"from": {"64": 5}}, None])
def test_metadata_may_contain_anything(value, preset):
    rewrite(preset, name=value, provenance=value, quality=value, parameters=value)
    assert describe(preset)["quality"]["from"] == {}


def test_a_changed_file_does_not_match(preset):
    (preset / "config.json").write_text("{}")
    assert {file.path.name: file.matches for file in check_files(preset)} == {
        "config.json": False,
        "model.weights.h5": True,
    }


def test_a_missing_file_is_an_error(preset):
    (preset / "model.weights.h5").unlink()
    with pytest.raises(PresetError, match="model.weights.h5: is missing"):
        describe(preset)
