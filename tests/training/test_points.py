"""Training on lattices and patches of points instead of scattered ones."""

import keras
import numpy as np
import pytest
import tiny
from checks import check_close, outputs

from tfsr.data import Sampler, SamplingConfig
from tfsr.models import ImplicitSR
from tfsr.training import recipe_files as recipes
from tfsr.training.trainer import train

LINEAR = {
    "name": "arasfsr-linear",
    "hidden": [8, 8],
    "functions": 3,
    "tokens": 3,
    "frequency_features": 4,
    "frequency_blocks": 1,
}
DECODERS = {
    "arasfsr-linear": LINEAR,
    # The basis does not separate, and the lookup is another.
    "metasr": {"name": "metasr", "hidden": 8},
    # Not linear, with coordinates of each query.
    "arasfsr": tiny.ARASFSR,
}
every_kind_of_points = pytest.mark.parametrize("points", ["lattice", "patch"])


@pytest.mark.slow
@every_kind_of_points
def test_two_steps_are_trained_on_windows(points, tmp_path):
    content = tiny.recipe(tiny.folder(tmp_path / "images", count=2), steps=2, steps_per_epoch=2)
    content["model"] = {"encoder": tiny.MODEL["encoder"], "decoder": LINEAR}
    content["data"]["sampling"]["points"] = points
    assert content["data"]["sampling"]["window"] == 12
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    keras.utils.set_random_seed(5)
    before = recipes.load(recipe).build_model().get_weights()
    model = train(recipe, tmp_path / "run")
    assert int(model.optimizer.iterations) == 2
    for weight, old in zip(model.weights, before, strict=True):
        assert np.isfinite(weight.numpy()).all(), weight.path
        # The gradient reaches every layer; half of the estimation is for the noise alone.
        if "frequency_estimation" not in weight.path:
            assert (weight.numpy() != old).any(), weight.path


def lattice_batch(points, folder):
    """A batch of windows, and the same points scattered."""
    config = SamplingConfig(
        batch=2, lr_size=(16, 24), hr_size=(24, 48), window=12, num_points=64, points=points
    )
    inputs, _ = Sampler(folder, config, seed=5).batch(0)
    rows, columns = inputs["rows"], inputs["columns"]
    coordinates = np.stack(
        [np.repeat(rows, 8, axis=1), np.tile(columns, (1, 8))], axis=-1, dtype=np.float32
    )
    cells = np.broadcast_to(inputs["cell"][:, None], coordinates.shape)
    scattered = {"coordinates": coordinates, "cell": cells}
    return inputs, {**scattered, **{name: inputs[name] for name in ("image", "window")}}


@every_kind_of_points
@pytest.mark.parametrize("decoder", DECODERS)
def test_a_lattice_equals_its_scattered_points(decoder, points, tmp_path):
    model = ImplicitSR(tiny.MODEL["encoder"], DECODERS[decoder])
    lattice, scattered = lattice_batch(points, tiny.folder(tmp_path))
    found = outputs(model(lattice))[0]
    assert found.shape == (2, 8, 8, 3)
    check_close(found.reshape(2, 64, 3), outputs(model(scattered))[0], 1e-4)


def test_the_window_places_a_lattice_in_the_whole_image(tmp_path):
    """Without it, what depends on global coordinates is another image."""
    lattice, _ = lattice_batch("lattice", tiny.folder(tmp_path))
    for switch in (True, False):
        decoder = {**LINEAR, "global_coordinates": switch}
        model = ImplicitSR(tiny.MODEL["encoder"], decoder)
        placed = outputs(model(lattice))[0]
        alone = outputs(model({name: x for name, x in lattice.items() if name != "window"}))[0]
        assert (np.abs(placed - alone).max() > 1e-3) == switch


def test_a_window_is_trained_as_it_is_rendered(rng):
    """Points of a window cut from an image are those of the whole image, away from its edges."""
    model = ImplicitSR(tiny.MODEL["encoder"], {**LINEAR, "frequency": False})
    image = rng.random((1, 40, 36, 3), dtype=np.float32)
    whole = model.upscale(image, (80, 72))[0]
    top, left, side = 6, 4, 28
    window = np.float32(
        [[(2 * top + side) / 40 - 1, (2 * left + side) / 36 - 1, side / 40, side / 36]]
    )
    # Rows and columns of the whole output, from the window's middle.
    rows, columns = np.arange(38, 44), np.arange(30, 40)
    assert model.halo < 12
    inputs = {
        "image": image[:, top : top + side, left : left + side],
        "rows": np.float32([(rows + 0.5) / side - 1 - 2 * top / side]),
        "columns": np.float32([(columns + 0.5) / side - 1 - 2 * left / side]),
        "cell": np.float32([[1 / side, 1 / side]]),
        "window": window,
    }
    found = outputs(model(inputs))[0][0]
    np.testing.assert_allclose(found, whole[rows][:, columns], atol=1e-5)
