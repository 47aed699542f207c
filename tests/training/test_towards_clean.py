"""recipes/towards_clean.py: a preset some of the way towards its clean twin."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR, from_preset
from tfsr.presets import read_metadata, save_preset
from tfsr.training import recipe_files
from tfsr.training.run_preset import save_run_preset

SCRIPT = Path(__file__).parents[2] / "recipes" / "towards_clean.py"


@pytest.fixture(scope="module")
def towards_clean():
    spec = importlib.util.spec_from_file_location("towards_clean", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_weights_lie_between_and_the_provenance_says_so(towards_clean, tmp_path):
    content = tiny.recipe(tiny.folder(tmp_path / "images"))
    content["provenance"]["training"] = "made by the test"
    recipe = recipe_files.to_mapping(recipe_files.parse(content))
    for seed, name in enumerate(("clean", "robust")):
        keras.utils.set_random_seed(seed)
        model = ImplicitSR.from_config(tiny.MODEL)
        save_preset(model, tmp_path / name, {"name": name, "recipe": recipe, "steps": 6})

    paths = [str(tmp_path / name) for name in ("robust", "clean", "run")]
    towards_clean.main(*paths[:2], 0.25, paths[2])
    save_run_preset(tmp_path / "run", tmp_path / "after", clean=tmp_path / "clean")

    found, robust, clean = (from_preset(tmp_path / x) for x in ("after", "robust", "clean"))
    for x, a, b in zip(*(m.get_weights() for m in (found, robust, clean)), strict=True):
        np.testing.assert_allclose(x, 0.75 * a + 0.25 * b, rtol=0, atol=1e-6)
    metadata = read_metadata(tmp_path / "after")
    assert metadata["steps"] == 6
    assert metadata["provenance"]["training"] == (
        "made by the test; then recipes/towards_clean.py: 0.25 of clean"
    )


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_outside_its_range_is_one_line(towards_clean, tmp_path, share):
    with pytest.raises(SystemExit, match=r"SHARE must be at least 0 and below 1; received"):
        towards_clean.main("faces", "faces-clean", share, str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
