"""recipes/mean_weights.py: the weighted mean of models."""

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
from tfsr.training.run_preset import save_run_preset

SCRIPT = Path(__file__).parents[2] / "recipes" / "mean_weights.py"


@pytest.fixture(scope="module")
def mean_weights():
    return load_script(SCRIPT)


def test_the_weights_are_the_mean_and_the_provenance_says_so(mean_weights, tmp_path):
    content = tiny.recipe(tiny.folder(tmp_path / "images"))
    for seed, name in enumerate(("robust", "clean", "other")):
        keras.utils.set_random_seed(seed)
        content["provenance"]["training"] = f"{name} was made by the test"
        recipe = recipe_files.parse(content)
        metadata = {"recipe": recipe_files.to_mapping(recipe), "provenance": recipe.provenance}
        model = ImplicitSR.from_config(tiny.MODEL)
        save_preset(model, tmp_path / name, {"name": name, "steps": 6, **metadata})

    shares = {"robust": 0.7, "clean": 0.25, "other": 0.05}
    mean_weights.main(str(tmp_path / "run"), {str(tmp_path / k): v for k, v in shares.items()})
    save_run_preset(tmp_path / "run", tmp_path / "after", clean=tmp_path / "clean")

    found, *models = (from_preset(tmp_path / name) for name in ("after", *shares))
    for x, *parts in zip(*(model.get_weights() for model in (found, *models)), strict=True):
        expected = sum(share * part for share, part in zip(shares.values(), parts, strict=True))
        np.testing.assert_allclose(x, expected, rtol=0, atol=1e-6)
    metadata = read_metadata(tmp_path / "after")
    assert metadata["steps"] == 6
    assert metadata["provenance"]["training"] == (
        "robust was made by the test; then recipes/mean_weights.py: 0.25 of clean, 0.05 of other"
    )


@pytest.mark.parametrize("shares", [(1.0,), (0.7, 0.2), (-0.1, 1.1), (0.5, float("nan"))])
def test_shares_that_do_not_add_up_are_one_line(mean_weights, tmp_path, shares):
    given = dict(zip(("faces", "faces-clean"), shares, strict=False))
    with pytest.raises(SystemExit, match="above 0 and add up to 1; received faces="):
        mean_weights.main(str(tmp_path / "run"), given)
    assert not (tmp_path / "run").exists()


def test_other_architectures_are_one_line(mean_weights, tmp_path):
    with pytest.raises(PresetError, match="^faces and faces-mobile cannot be .*differ"):
        mean_weights.main(str(tmp_path / "run"), {"faces": 0.5, "faces-mobile": 0.5})
    assert not (tmp_path / "run").exists()


def test_an_output_that_exists_is_refused_first(mean_weights, tmp_path):
    tiny.folder(tmp_path / "run")
    with pytest.raises(PresetError, match="run: already exists; name another directory"):
        mean_weights.main(str(tmp_path / "run"), {"nobody": 0.5, "no one": 0.5})
