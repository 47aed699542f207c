"""What Keras users do with any model: freeze, save, load, export, call."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from ai_edge_litert.interpreter import Interpreter
from keras import tree

from tfsr import ImplicitSR
from tfsr.decoders import DECODERS, LIIF
from tfsr.encoders import EDSR
from tfsr.errors import InvalidArgument
from tfsr.exporters import tflite
from tfsr.models import Bicubic, SubPixelSR, with_precision
from tfsr.models.sr_model import sublayers

IMAGE = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
POINTS = {
    "image": IMAGE,
    "coordinates": np.zeros((1, 2, 2), np.float32),
    "cell": np.full((1, 2, 2), 0.1, np.float32),
}
BYTES = np.full((1, 8, 8, 3), 128, np.uint8)
KINDS = {
    "sub-pixel": lambda: SubPixelSR(tiny.MODEL["encoder"], 2),
    "implicit": lambda: ImplicitSR.from_config(tiny.MODEL),
}
INPUTS = {"sub-pixel": IMAGE, "implicit": POINTS}


def saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.models.load_model(tmp_path / "model.keras")


@pytest.mark.slow
def test_a_frozen_part_stays_frozen(tmp_path):
    model = ImplicitSR.from_config(tiny.MODEL)
    assert "frozen" not in model.get_config()
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


@pytest.mark.parametrize("kind", KINDS)
def test_layers_inside_parts_stay_frozen(kind, tmp_path):
    model = KINDS[kind]()
    frozen = [model.encoder.body[0], model.colours if kind == "sub-pixel" else model.decoder]
    for layer in frozen:
        layer.trainable = False
    for copy in (saved_and_loaded(model, tmp_path), keras.models.clone_model(model)):
        assert [w.path.split("/", 1)[1] for w in copy.trainable_weights] == [
            w.path.split("/", 1)[1] for w in model.trainable_weights
        ]
        assert copy.get_config() == model.get_config()
    model.trainable = False
    assert not saved_and_loaded(model, tmp_path).trainable_weights


def test_every_layer_is_found():
    for decoder in DECODERS.names():
        model = ImplicitSR(tiny.MODEL["encoder"], decoder)
        found = {id(layer) for _, layer in sublayers(model)}
        assert found == {id(layer) for layer in model._flatten_layers(include_self=False)}


def test_parts_keep_their_names_and_dtypes(tmp_path):
    encoder = EDSR(8, 1, 1.0, dtype="mixed_bfloat16", name="eyes")
    model = ImplicitSR(encoder, LIIF((8,), name="brush"), name="restorer")
    loaded = saved_and_loaded(model, tmp_path)
    parts = loaded, loaded.encoder, loaded.decoder
    assert [part.name for part in parts] == ["restorer", "eyes", "brush"]
    assert [part.dtype_policy.name for part in parts] == ["float32", "mixed_bfloat16", "float32"]
    np.testing.assert_array_equal(loaded.upscale(IMAGE, scale=2), model.upscale(IMAGE, scale=2))
    assert with_precision(loaded, "float32").encoder.dtype_policy.name == "float32"


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_larger_models_compute_alike(kind, tmp_path, capsys):
    model, inputs = KINDS[kind](), INPUTS[kind]
    expected = np.asarray(model(inputs))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    symbolic = tree.map_structure(
        lambda x, name: keras.Input((*(None for _ in x.shape[1:-1]), x.shape[-1]), name=name),
        inputs,
        {name: name for name in inputs} if isinstance(inputs, dict) else "image",
    )
    larger = keras.Model(symbolic, keras.layers.Rescaling(1.0)(model(symbolic)))
    for copy in (clone, larger, saved_and_loaded(larger, tmp_path)):
        np.testing.assert_array_equal(np.asarray(copy(inputs)), expected)
    model.summary()
    assert f"{model.count_params():,}" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_keras_exports_compute_alike(kind, tmp_path):
    model, inputs = KINDS[kind](), INPUTS[kind]
    expected = np.asarray(model(inputs))
    model.export(tmp_path / "exported", verbose=False)
    tensors = tree.map_structure(tf.constant, inputs)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(tensors), expected, atol=1e-6)

    model.export(tmp_path / "a.tflite", format="litert", verbose=False)
    converted = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    for content in ((tmp_path / "a.tflite").read_bytes(), converted):
        runner = Interpreter(model_content=content).get_signature_runner()
        # Keras sorts the inputs by name.
        feed = dict(zip(sorted(runner.get_input_details()), tree.flatten(inputs), strict=True))
        (output,) = runner(**feed).values()
        np.testing.assert_allclose(output, expected, atol=2e-6)


def test_formats_that_are_not_there_are_one_line(tmp_path):
    model = KINDS["implicit"]()
    with pytest.raises(InvalidArgument, match="format must be one of .* Did you mean 'litert'"):
        model.export(tmp_path / "a", format="tflite")
    with pytest.raises(ValueError, match="^Torch export requires PyTorch backend.$"):
        model.export(tmp_path / "a", format="torch")
    with pytest.raises(InvalidArgument, match="`tfsr export tflite --quantize int8 --calibration"):
        model.quantize("int8")


@pytest.mark.parametrize("kind", [*KINDS, "bicubic"])
@pytest.mark.parametrize("size", [(16, 16), (13, 19)])
def test_upscale_inside_a_compiled_function(kind, size):
    model = Bicubic() if kind == "bicubic" else KINDS[kind]()
    expected = model.upscale(IMAGE, size)
    compiled = tf.function(
        lambda image: model.upscale(image, size), [tf.TensorSpec((None, 8, 8, 3), tf.float32)]
    )
    np.testing.assert_allclose(compiled(IMAGE), expected, atol=1e-5)
    of_any_size = tf.function(
        lambda image: model.upscale(image, size), [tf.TensorSpec((None, None, None, 3), tf.float32)]
    )
    # TensorFlow appends the line to where it was raised.
    with pytest.raises(Exception, match="image must have a known size inside a compiled"):
        of_any_size(IMAGE)


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_many_sizes_warn_of_nothing(kind, caplog):
    model = KINDS[kind]()
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    for i in range(12):
        image = np.zeros((1, 8 + i, 9 + 2 * i, 3), np.float32)
        model.upscale(image, scale=(2, 3, 2.7, 4, 1.3)[i % 5])
    logger.removeHandler(caplog.handler)
    assert not caplog.records


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: KINDS["sub-pixel"]()(BYTES),
            "must be floating point .* uint8: divide by 255",
        ),
        (lambda: KINDS["sub-pixel"]().predict(BYTES, verbose=0), "divide by 255"),
        (lambda: KINDS["sub-pixel"]().upscale(BYTES, scale=2), "divide by 255"),
        (lambda: KINDS["implicit"]()({**POINTS, "image": BYTES}), "divide by 255"),
        (lambda: KINDS["implicit"]()(IMAGE), r"model.upscale\(image, scale=4\) upscales images"),
        (lambda: KINDS["implicit"]().predict(IMAGE, verbose=0), "upscales images"),
        (lambda: KINDS["implicit"]()({"image": IMAGE}), "missing: cell, coordinates$"),
        (lambda: KINDS["implicit"]().upscale(IMAGE[0], scale=2), "takes images of any kind"),
    ],
)
def test_other_inputs_are_refused_in_one_line(call, line):
    with pytest.raises(InvalidArgument, match=line) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_model_of_mixed_precision_becomes_a_tflite_file(tmp_path):
    model = with_precision(ImplicitSR.from_config(tiny.MODEL), "bfloat16")
    report = tflite(model, tmp_path / "a.tflite", (6, 7), [(12, 14)])
    assert report.largest_difference < 1e-4
