"""Folded models, and encoders whose images have sides of a multiple."""

import json

import numpy as np
import pytest
import tiny
from cases import quick
from checks import check_close

from tfsr import from_preset
from tfsr.geometry import make_tiles
from tfsr.images import to_float
from tfsr.inference import ModelUpscaler, load_upscaler
from tfsr.models import Bicubic, ImplicitSR, SubPixelSR, folded, from_config, with_precision
from tfsr.presets import save_preset

SPAN = {"name": "span", "features": 8, "blocks": 2, "input_scale": 10.0}
ECB = {"name": "ecb", "features": 8, "blocks": 2}
MODELS = {
    "span": {**tiny.MODEL, "encoder": SPAN},
    "ecb": {**tiny.MODEL, "encoder": ECB},
    "sub-pixel": {"encoder": SPAN, "scale": 2},
}
every_model = pytest.mark.parametrize("name", quick(["ecb"], MODELS))


@pytest.fixture
def images(rng):
    return rng.random((2, 7, 9, 3), dtype=np.float32)


@every_model
def test_a_folded_model_has_the_same_output(name, images):
    model = from_config(MODELS[name])
    plain = folded(model)
    assert type(plain) is type(model) and plain is not model
    assert plain.encoder.folded and not model.encoder.folded
    assert plain.count_params() < model.count_params()
    for size in [(14, 18), (15, 20)]:
        expected = model.upscale(images, size=size)
        np.testing.assert_allclose(plain.upscale(images, size=size), expected, atol=1e-5)
    assert folded(plain) is plain


@pytest.mark.parametrize(
    "model", [ImplicitSR.from_config(tiny.MODEL), SubPixelSR(tiny.MODEL["encoder"], 2), Bicubic()]
)
def test_a_model_that_has_nothing_to_fold_is_returned_itself(model):
    assert folded(model) is model


@every_model
def test_folding_and_precision_may_come_in_any_order(name, images):
    model = from_config(MODELS[name])
    first, second = (
        with_precision(folded(model), "bfloat16"),
        folded(with_precision(model, "bfloat16")),
    )
    assert first.dtype_policy.name == second.dtype_policy.name == "mixed_bfloat16"
    expected = first.upscale(images, size=(15, 20))
    np.testing.assert_array_equal(second.upscale(images, size=(15, 20)), expected)
    assert np.abs(expected - model.upscale(images, size=(15, 20))).max() < 0.05


@every_model
def test_a_folded_model_is_saved_as_such(name, images, tmp_path):
    model = folded(from_config(MODELS[name]))
    save_preset(model, tmp_path / "preset", {})
    config = json.loads((tmp_path / "preset" / "config.json").read_text())
    assert config["encoder"] == {**MODELS[name]["encoder"], "folded": True}
    expected = model.upscale(images, size=(15, 20))
    loaded = from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(loaded.upscale(images, size=(15, 20)), expected)


def test_an_upscaler_folds_what_it_loads_and_nothing_else(tmp_path):
    model = from_config(MODELS["span"])
    save_preset(model, tmp_path / "preset", {})
    assert load_upscaler(tmp_path / "preset").model.encoder.folded
    assert ModelUpscaler(model).model is model


# Encoders of sides of multiples: tiles are the whole image.

LIIF = {"name": "liif", "hidden": [8, 8]}
LR, SIZE = (43, 46), (91, 97)


def check_tiles(model, upscaler):
    image = to_float(tiny.image(*LR))
    renderer = upscaler.renderer
    whole = upscaler(image, SIZE)
    renderer.lr_pixels = 600
    assert len(make_tiles(LR, SIZE, renderer.input_span, renderer.lr_pixels)) > 4
    check_close(upscaler(image, SIZE), whole, 1e-5)
    return whole


@pytest.mark.parametrize("kind", ["implicit", "sub-pixel"])
@pytest.mark.parametrize("self_ensemble", [False, True], ids=["once", "self-ensemble"])
def test_tiles_begin_at_the_encoders_multiple(kind, self_ensemble, block_means):
    model = ImplicitSR(block_means, LIIF) if kind == "implicit" else SubPixelSR(block_means, 2)
    found = check_tiles(model, ModelUpscaler(model, self_ensemble=self_ensemble))
    if not self_ensemble:
        expected = model.upscale(to_float(tiny.image(*LR))[None], SIZE)[0]
        check_close(found, expected, 1e-5)


def test_the_sides_of_a_training_window_are_padded_too(block_means, rng):
    model = ImplicitSR(block_means, LIIF)
    inputs = {
        "image": rng.random((2, 5, 6, 3), dtype=np.float32),
        "coordinates": rng.uniform(-1, 1, (2, 7, 2)).astype(np.float32),
        "cell": np.full((2, 7, 2), 0.1, np.float32),
    }
    padded = np.pad(inputs["image"], [(0, 0), (0, 3), (0, 2), (0, 0)], mode="edge")
    expected = np.asarray(model.encode(padded))[:, :5, :6]
    np.testing.assert_allclose(np.asarray(model.encode(inputs["image"])), expected, atol=1e-6)
    assert tuple(model(inputs).shape) == (2, 7, 3)
