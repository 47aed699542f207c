"""recipes/add_blocks.py: a deeper model with the same output."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tiny
from scripts import load_script

from tfsr import ImplicitSR, from_preset
from tfsr.errors import PresetError
from tfsr.presets import read_metadata, save_preset
from tfsr.training import recipe_files

SCRIPT = Path(__file__).parents[2] / "recipes" / "add_blocks.py"


@pytest.fixture(scope="module")
def add_blocks():
    return load_script(SCRIPT)


def preset(path, encoder, images):
    keras.utils.set_random_seed(3)
    model = tiny.MODEL | {"encoder": encoder}
    recipe = recipe_files.parse(tiny.recipe(images) | {"model": model})
    metadata = {"recipe": recipe_files.to_mapping(recipe), "provenance": recipe.provenance}
    save_preset(ImplicitSR.from_config(model), path, {"name": "before", "steps": 6, **metadata})
    return str(path)


def test_the_output_is_the_same_and_the_recipe_has_the_blocks(add_blocks, tmp_path, rng):
    images = tiny.folder(tmp_path / "images")
    before = preset(tmp_path / "before", tiny.MODEL["encoder"], images)
    add_blocks.main(before, str(tmp_path / "run"), 2)

    shallow, deep = from_preset(before), from_preset(tmp_path / "run")
    assert len(deep.encoder.body) == len(shallow.encoder.body) + 2
    image = rng.random((1, 12, 12, 3), np.float32)
    np.testing.assert_array_equal(
        deep.upscale(image, size=(31, 17)), shallow.upscale(image, size=(31, 17))
    )
    metadata = read_metadata(tmp_path / "run")
    assert metadata["steps"] == 6
    assert metadata["provenance"]["training"] == "6 steps; then recipes/add_blocks.py: 2 more"
    recipe = recipe_files.load(tmp_path / "run" / "recipe.yaml")
    assert recipe.build_model().count_params() == deep.count_params()


def test_another_encoder_is_one_line(add_blocks, tmp_path):
    images = tiny.folder(tmp_path / "images")
    encoder = {"name": "span", "features": 8, "blocks": 1}
    before = preset(tmp_path / "before", encoder, images)
    with pytest.raises(SystemExit, match="its encoder must be EDSR; it is SPAN"):
        add_blocks.main(before, str(tmp_path / "run"), 2)
    assert not (tmp_path / "run").exists()


def test_an_output_that_exists_is_refused_first(add_blocks, tmp_path):
    tiny.folder(tmp_path / "run")
    with pytest.raises(PresetError, match="run: already exists; name another directory"):
        add_blocks.main("nobody", str(tmp_path / "run"), 2)
