"""What Keras users do with any model: freeze, save, load, export, call."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfsr import ImplicitSR
from tfsr.errors import InvalidArgument
from tfsr.exporters import tflite
from tfsr.models import SubPixelSR, with_precision

IMAGE = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
POINTS = {
    "image": IMAGE,
    "coordinates": np.zeros((1, 2, 2), np.float32),
    "cell": np.full((1, 2, 2), 0.1, np.float32),
}


def test_a_frozen_part_stays_frozen(tmp_path):
    model = ImplicitSR.from_config(tiny.MODEL)
    assert "trainable" not in model.get_config()["encoder"]
    model.encoder.trainable = False
    model.compile(keras.optimizers.Adam(1e-2), "mae")
    model.fit(POINTS, np.zeros((1, 2, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_weights) == len(model.trainable_weights)
    assert int(loaded.optimizer.iterations) == 1
    before = [np.array(weight) for weight in loaded.encoder.weights]
    loaded.fit(POINTS, np.zeros((1, 2, 3)), verbose=0)
    for weight, old in zip(loaded.encoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert ImplicitSR.from_config(model.get_config()).encoder.trainable is False


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (SubPixelSR(tiny.MODEL["encoder"], 2), IMAGE),
        (ImplicitSR(tiny.MODEL["encoder"], {"name": "liif", "hidden": [8]}), POINTS),
    ],
)
def test_keras_exports_a_model_that_was_called(model, inputs, tmp_path):
    expected = np.asarray(model(inputs))
    model.export(tmp_path / "exported", verbose=False)
    tensors = tf.nest.map_structure(tf.constant, inputs)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    output = exported.serve(tensors)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_8_bit_images_are_refused_by_every_call():
    image, model = np.full((1, 8, 8, 3), 128, np.uint8), SubPixelSR(tiny.MODEL["encoder"], 2)
    for call in (model, lambda image: model.upscale(image, scale=2)):
        with pytest.raises(InvalidArgument, match="divide by 255"):
            call(image)


def test_an_image_alone_is_refused_in_one_line():
    with pytest.raises(InvalidArgument, match="upscale.image, size. takes images"):
        ImplicitSR.from_config(tiny.MODEL)(IMAGE)


def test_a_model_of_mixed_precision_becomes_a_tflite_file(tmp_path):
    model = with_precision(ImplicitSR.from_config(tiny.MODEL), "bfloat16")
    report = tflite(model, tmp_path / "a.tflite", (6, 7), [(12, 14)])
    assert report.largest_difference < 1e-4
