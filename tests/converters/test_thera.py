"""Thera's pickles as models."""

import os
import pickle
from functools import cache

import numpy as np
import pytest
from checks import GOLDENS, check_close, golden, grid_points, outputs, section

from tfsr.converters import read_published
from tfsr.converters.flax_pickle import FlaxCheckpoint, read_flax_pickle
from tfsr.converters.thera_weights import load_thera, thera_config
from tfsr.encoders import EDSR
from tfsr.errors import CheckpointError
from tfsr.models import ImplicitSR

FILE = GOLDENS / "thera_edsr_small.pkl"
NAME = "thera_edsr_small"
SETTINGS = {"backbone": "edsr-baseline", "size": "air"}


@cache
def published_thera():
    return read_published(FILE).model()


def test_the_encoder_gives_the_published_features():
    arrays = golden(NAME)
    features = published_thera().encoder.encode(2 * arrays["img"][None] - 1)
    check_close(outputs(features)[0][0], arrays["feat"], 2e-5)


SIZES = [(24, 34), (30, 40), (36, 51), (96, 136), (12, 17)]
sizes = pytest.mark.parametrize("size", SIZES)


@sizes
def test_a_grid_is_the_published_image(size):
    arrays, model = golden(NAME), published_thera()
    latent = model.encode(arrays["img"][None])
    image = outputs(model.render(latent, model.plan((12, 17), size)))[0][0]
    check_close(image, arrays[f"out_{size[0]}x{size[1]}"], 2e-5)


@sizes
def test_points_are_the_published_image(size):
    arrays = golden(NAME)
    coordinates, cells = grid_points(size)
    inputs = {"image": arrays["img"][None], "coordinates": coordinates, "cell": cells}
    points = outputs(published_thera()(inputs))[0]
    check_close(points.reshape(*size, 3), arrays[f"out_{size[0]}x{size[1]}"], 2e-5)


@sizes
def test_upscaling_gives_the_published_image(size):
    # One convolution has exact offsets; those of the published code are rounded differently in each
    # LR pixel, and its frequencies of up to 16 pi show it: 2.2e-5 at the largest size.
    arrays = golden(NAME)
    image = published_thera().upscale(arrays["img"][None], size)[0]
    check_close(image, arrays[f"out_{size[0]}x{size[1]}"], 3e-5)


def test_the_file_is_recognised_with_its_sizes():
    published = read_published(FILE)
    assert published.config == {
        "encoder": {
            "name": "edsr",
            "features": 16,
            "blocks": 2,
            "residual_scale": 1.0,
            "mean": [0.4488, 0.4371, 0.4040],
            "std": pytest.approx(np.sqrt(0.25 + 1e-5)),
        },
        "decoder": {"name": "thera", "waves": 32, "mean": [0.4488, 0.4371, 0.4040]},
    }
    assert published.unused == []
    assert published.weights["params/out_conv/kernel"].shape == (1, 1, 16, 128)


@pytest.mark.parametrize("change", [{"backbone": "rdn"}, {"size": "pro"}, {"size": None}])
def test_other_sizes_of_thera_are_refused(change):
    settings = {**SETTINGS, **change}
    checkpoint = FlaxCheckpoint(read_flax_pickle(FILE).weights, settings)
    with pytest.raises(
        CheckpointError, match="known: size 'air' with the backbone 'edsr-baseline'"
    ):
        thera_config(checkpoint)


def test_another_tree_of_parameters_is_refused(tmp_path):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps({"model": {"params": {"kernel": np.zeros(3)}}, **SETTINGS}))
    with pytest.raises(CheckpointError, match="is not a checkpoint of Thera-Air: it has no weight"):
        read_published(path)


class Attack:
    def __reduce__(self):
        return os.system, ("touch attacked",)


def test_a_malicious_pickle_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "thera.pkl"
    path.write_bytes(pickle.dumps({"model": Attack(), **SETTINGS}))
    with pytest.raises(CheckpointError) as caught:
        read_published(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    assert f"names '{os.name}.system'" in message
    assert os.listdir(tmp_path) == ["thera.pkl"]


def test_a_missing_or_misshapen_weight_is_named_and_nothing_is_loaded():
    weights = dict(section(golden(NAME), "sd/"))
    model = ImplicitSR.from_config(read_published(FILE).config)
    before = model.get_weights()
    name = "params/encoder/body/layers_2/kernel"
    weights[name] = weights[name][..., :-1]
    with pytest.raises(CheckpointError, match=f"'{name}' has shape"):
        load_thera(model, weights)
    del weights[name]
    with pytest.raises(CheckpointError, match=f"no weight '{name}'"):
        load_thera(model, weights)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_models_that_were_never_published_are_refused():
    weights = section(golden(NAME), "sd/")
    with pytest.raises(CheckpointError, match="no published weights are known for LIIF"):
        load_thera(ImplicitSR(EDSR(16, 2, 1.0), {"name": "liif", "hidden": [8]}), weights)
