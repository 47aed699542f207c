import hashlib
import json
import shutil

import numpy as np
import pytest
import tiny

from tfsr import __version__, from_preset
from tfsr.errors import CheckpointError, ImageError, PresetError, RecipeError
from tfsr.evaluation import DegradationSpec, restoration_psnr
from tfsr.images import list_images, to_float
from tfsr.inference import load_upscaler
from tfsr.presets import DEFAULT, read_metadata
from tfsr.training import recipe_files as recipes
from tfsr.training.compilation import compiled_model
from tfsr.training.run_preset import save_run_preset
from tfsr.training.trainer import train


@pytest.fixture(scope="module")
def saved(run, tmp_path_factory):
    preset = tmp_path_factory.mktemp("saved") / "my-preset"
    lines = []
    save_run_preset(run, preset, report=lines.append)
    return preset, lines


def test_the_preset_is_the_best_checkpoint(saved, run):
    preset, _ = saved
    pairs = zip(from_preset(run).get_weights(), from_preset(preset).get_weights(), strict=True)
    for expected, found in pairs:
        np.testing.assert_array_equal(found, expected)


def test_the_metadata_says_where_it_comes_from(saved, run):
    preset, _ = saved
    metadata = json.loads((preset / "metadata.json").read_text())
    recipe = recipes.load(run / "recipe.yaml")
    assert metadata["name"] == "my-preset"
    assert metadata["tfsr"] == __version__
    assert metadata["provenance"] == {"licence": "made by the test"}
    assert recipes.parse(metadata["recipe"]) == recipe
    assert metadata["steps"] == read_metadata(run)["steps"]
    assert metadata["parameters"] == from_preset(preset).count_params()
    assert metadata["sha256"] == {
        name: hashlib.sha256((preset / name).read_bytes()).hexdigest()
        for name in ("config.json", "model.weights.h5")
    }


def test_a_clean_twin_is_named_relative_to_the_preset(saved, run, tmp_path):
    twin = shutil.copytree(saved[0], tmp_path / "twins" / "clean")
    robust = twin.with_name("robust")
    save_run_preset(run, robust, clean=twin)
    assert read_metadata(robust)["clean"] == "../clean"
    pairs = zip(from_preset(robust, 0.5).get_weights(), from_preset(run).get_weights(), strict=True)
    for found, expected in pairs:  # The two are one.
        np.testing.assert_array_equal(found, expected)


def test_a_clean_twin_of_another_architecture_is_refused(run, tmp_path):
    with pytest.raises(PresetError, match=f"{DEFAULT} and .*run.* architectures differ"):
        save_run_preset(run, tmp_path / "robust", clean=DEFAULT)
    assert not (tmp_path / "robust").exists()


def test_its_quality_is_what_a_fresh_measurement_finds(saved, run):
    preset, lines = saved
    quality = json.loads((preset / "metadata.json").read_text())["quality"]
    paths = list_images(run.parent / "images")
    assert (quality["protocol"], quality["degradation"]) == ("rgb", "bicubic")
    assert quality["images"] == len(paths) == 3
    assert list(quality["from"]) == ["24", "16"]
    for line, (side, values) in zip(lines, quality["from"].items(), strict=False):
        ours, bicubic = (
            np.mean(restoration_psnr(load_upscaler(x), paths, DegradationSpec(int(side))))
            for x in (preset, "bicubic")
        )
        assert values["psnr"] == pytest.approx(ours, abs=6e-4)
        assert values["bicubic"] == pytest.approx(bicubic, abs=6e-4)
        assert line == (
            f"from {side}: {ours:.3f} dB, bicubic {bicubic:.3f}, gain {ours - bicubic:+.3f}"
        )
    assert len(lines) == 3


def test_other_images_can_be_measured_on(run, tmp_path):
    images = tiny.folder(tmp_path / "images", count=1)
    save_run_preset(run, tmp_path / "preset", validation_data=images)
    metadata = json.loads((tmp_path / "preset" / "metadata.json").read_text())
    assert metadata["quality"]["images"] == 1


@pytest.mark.slow
def test_a_re_parameterised_encoder_is_saved_folded(tmp_path):
    """And its run is not: it may be trained on, and so may the preset, folded."""
    content = tiny.recipe(tiny.folder(tmp_path / "images"))
    encoder = {"name": "span", "features": 8, "blocks": 1, "input_scale": 10.0}
    content["model"] = {**tiny.MODEL, "encoder": encoder}
    train(tiny.write_recipe(tmp_path / "recipe.yaml", content), tmp_path / "run")
    save_run_preset(tmp_path / "run", tmp_path / "preset")
    config = json.loads((tmp_path / "preset" / "config.json").read_text())
    assert config["encoder"] == {**encoder, "folded": True}
    trained, preset = from_preset(tmp_path / "run"), from_preset(tmp_path / "preset")
    assert not trained.encoder.folded
    assert read_metadata(tmp_path / "preset")["parameters"] == preset.count_params()
    image = to_float(tiny.image(12, 10))[None]
    expected = trained.upscale(image, (31, 37))
    np.testing.assert_allclose(preset.upscale(image, (31, 37)), expected, atol=1e-5)

    for start in ("run", "preset"):
        recipe = {**content, "init_from": str(tmp_path / start)}
        recipe["model"] = {**tiny.MODEL, "encoder": {**encoder, "folded": True}}
        started = compiled_model(recipes.parse(recipe))
        np.testing.assert_allclose(started.upscale(image, (31, 37)), expected, atol=1e-5)
    with pytest.raises(RecipeError, match="of another model"):
        compiled_model(recipes.parse({**content, "init_from": str(tmp_path / "preset")}))


@pytest.mark.parametrize(
    "name, content, kind",
    [
        ("recipe.yaml", None, RecipeError),
        ("best/metadata.json", None, CheckpointError),
        ("best/metadata.json", "[]", CheckpointError),
        ("best/metadata.json", "{}", CheckpointError),
        ("best/model.weights.h5", None, CheckpointError),
        ("best/model.weights.h5", "no weights", CheckpointError),
    ],
)
def test_an_incomplete_run_is_reported(name, content, kind, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_text(content)
    with pytest.raises(kind) as caught:
        save_run_preset(copy, tmp_path / "preset")
    assert str(caught.value).startswith(str(copy))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "preset").exists()


def test_missing_images_and_a_file_in_the_way_are_reported(run, tmp_path):
    with pytest.raises(ImageError, match="faces"):
        save_run_preset(run, tmp_path / "preset", validation_data=tmp_path / "faces")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PresetError, match="file"):
        save_run_preset(run, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_directory_that_holds_something_is_left_as_it_is(run, tmp_path):
    for directory in (run, run / "best", tmp_path / "file" / "preset", tmp_path / ("a" * 300)):
        (tmp_path / "file").touch()
        with pytest.raises(PresetError, match="already exists|cannot be written"):
            save_run_preset(run, directory, report=pytest.fail)
    (tmp_path / "empty").mkdir()
    save_run_preset(run, tmp_path / "empty")
