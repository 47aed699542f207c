"""What users of Keras try before they read: it works, or one line names what does."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

import tfsr
from tfsr.errors import InvalidArgument, PresetError

GENERATOR = np.random.default_rng(0)
SMALL = GENERATOR.random((4, 8, 9, 3), np.float32)
LARGE = GENERATOR.random((4, 13, 17, 3), np.float32)


def model_of(seed=0):
    keras.utils.set_random_seed(seed)
    return tfsr.ImplicitSR.from_config(tiny.MODEL)


@pytest.mark.parametrize(
    "data",
    [
        lambda: (SMALL, LARGE),
        lambda: ({"image": SMALL}, LARGE),
        lambda: (tf.data.Dataset.from_tensor_slices((SMALL, LARGE)).batch(2), None),
    ],
    ids=["arrays", "mapping", "dataset"],
)
def test_pairs_of_images_train(data):
    model = model_of()
    model.compile("adam", "mae", metrics=["mse"], jit_compile=False)
    mean = np.abs(model.upscale(SMALL, (13, 17)) - LARGE).mean()
    x, y = data()
    loss, _ = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(mean, abs=1e-5)
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_the_whole_way(tmp_path):
    """From a preset to a file for phones, by a user's own images."""
    model = tfsr.ImplicitSR.from_preset("faces-mobile", dtype="float32")
    model.encoder.trainable = False
    model.compile(keras.optimizers.Adam(1e-4), "mae", jit_compile=False)
    model.fit(SMALL[:1], LARGE[:1], verbose=0)
    model.save_to_preset(tmp_path / "mine")
    again = tfsr.ImplicitSR.from_preset(tmp_path / "mine")
    expected = model.upscale(SMALL, scale=2)
    np.testing.assert_array_equal(again.upscale(SMALL, scale=2), expected)
    report = tfsr.exporters.tflite(again, tmp_path / "a.tflite", (8, 9), [(16, 18)])
    assert report.largest_difference < 1e-4


def test_a_preset_is_loaded_in_another_precision():
    model = tfsr.ImplicitSR.from_preset("faces-mobile", dtype="mixed_bfloat16")
    assert model.encoder.dtype_policy.name == "mixed_bfloat16"
    exact = tfsr.ImplicitSR.from_preset("faces-mobile")
    assert np.abs(model.upscale(SMALL, scale=2) - exact.upscale(SMALL, scale=2)).max() < 0.05


@pytest.mark.parametrize(
    ("guess", "error", "line"),
    [
        (lambda: tfsr.load_model("faces"), AttributeError, "it has from_preset .a Keras model"),
        (lambda: model_of().upscale(SMALL, 2), InvalidArgument, "a factor is scale=2$"),
        (lambda: model_of().save("a.h5"), InvalidArgument, "^filepath must end in .keras"),
        (lambda: model_of().export("a.tflite"), InvalidArgument, "format must be 'litert' for a"),
        (lambda: model_of().export("a.onnx"), InvalidArgument, "format must be 'onnx' for a.onnx"),
        (lambda: tfsr.from_preset("a.keras"), PresetError, "keras.models.load_model loads"),
        (lambda: tfsr.load_upscaler("a.keras"), PresetError, "pass what keras.models.load_model"),
        (
            lambda: (
                (model := model_of()).compile("adam", "mae")
                or model.fit(SMALL, (LARGE * 255).astype(np.uint8), verbose=0)
            ),
            InvalidArgument,
            "divide by 255",
        ),
    ],
)
def test_wrong_guesses_are_told_the_right_way(guess, error, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_of().save("a.keras")
    with pytest.raises(error, match=line) as caught:
        guess()
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.keras"]
