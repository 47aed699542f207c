"""recipes/flat_colours.py: a last layer that keeps flat colours."""

from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny
from scripts import load_script

from tfsr import ImplicitSR, from_preset
from tfsr.presets import read_metadata, save_preset
from tfsr.training import recipe_files
from tfsr.training.run_preset import save_run_preset

SCRIPT = Path(__file__).parents[2] / "recipes" / "flat_colours.py"


@pytest.fixture(scope="module")
def flat_colours():
    """The script, for few and small samples."""
    module = load_script(SCRIPT)
    small = {"SAMPLES": 8, "QUERIES": 16, "LEVELS": (0, 128, 255), "SIDES": ((8, 20), (8, 16))}
    # So small a model is to be changed much.
    small |= {"FLATS": 10.0, "LEAST": 1e-3}
    vars(module).update(small)
    return module


def movement(model):
    """The root mean square by which flat images of other colours move."""
    colours = np.random.default_rng(1).random((12, 1, 1, 3), np.float32)
    flat = np.broadcast_to(colours, (12, 8, 8, 3)).copy()
    return np.sqrt(np.square(model.upscale(flat, size=(20, 20)) - colours).mean())


@pytest.fixture(scope="module")
def changed(flat_colours, tmp_path_factory):
    """A function of a degradation: a tiny preset of it, and the run that the script made."""

    @cache
    def make(degradation):
        folder = tmp_path_factory.mktemp("flat")
        images = tiny.folder(folder / "images")
        keras.utils.set_random_seed(0)
        content = tiny.recipe(images)
        content["data"]["sampling"] |= {"points": "lattice", "degradation": degradation}
        content["provenance"]["training"] = "made by the test"
        recipe = recipe_files.to_mapping(recipe_files.parse(content))
        model = ImplicitSR.from_config(tiny.MODEL)
        save_preset(model, folder / "before", {"recipe": recipe, "steps": 6})
        flat_colours.main(str(folder / "before"), str(folder / "run"))
        return folder / "before", folder / "run"

    return make


@pytest.mark.slow
def test_a_share_of_the_change_is_added(flat_colours, changed, tmp_path):
    before, whole = changed("clean")
    flat_colours.main(str(before), str(tmp_path / "part"), 0.25)
    kernels = [
        from_preset(path).decoder.last_layer.kernel.numpy()
        for path in (before, whole, tmp_path / "part")
    ]
    expected = 0.25 * (kernels[1] - kernels[0])
    np.testing.assert_allclose(kernels[2] - kernels[0], expected, atol=1e-6)
    training = read_metadata(tmp_path / "part")["provenance"]["training"]
    assert training == "made by the test; then recipes/flat_colours.py, 0.25 of its change"


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_a_share_outside_its_range_is_one_line(flat_colours, tmp_path, share):
    with pytest.raises(SystemExit, match="SHARE must be above 0 and at most 1; received"):
        flat_colours.main("faces", str(tmp_path / "run"), share)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("degradation", ["clean", "faces"])
def test_flat_colours_move_less_and_images_hardly_change(changed, tmp_path, degradation):
    before, run = changed(degradation)
    save_run_preset(run, tmp_path / "after")
    model, after = from_preset(before), from_preset(tmp_path / "after")
    assert movement(after) < 0.5 * movement(model)
    changed = [
        old.path
        for old, new in zip(model.weights, after.weights, strict=True)
        if not np.array_equal(old, new)
    ]
    assert changed == [model.decoder.last_layer.kernel.path]
    image = np.random.default_rng(2).random((1, 12, 12, 3), np.float32)
    outputs = [net.upscale(image, size=(30, 30)) for net in (model, after)]
    assert np.abs(outputs[1] - outputs[0]).mean() < movement(model)
