"""What users of Keras try before they read: it works, or one line names what does."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image

import tfsr
from tfsr.errors import InvalidArgument, PresetError

GENERATOR = np.random.default_rng(0)
SMALL = GENERATOR.random((4, 8, 9, 3), np.float32)
LARGE = GENERATOR.random((4, 13, 17, 3), np.float32)
KERAS = ("compile", "evaluate", "fit", "predict")


def model_of(seed=0):
    keras.utils.set_random_seed(seed)
    return tfsr.ImplicitSR.from_config(tiny.MODEL)


def compiled(loss="mae", **options):
    model = model_of()
    model.compile("adam", loss, jit_compile=False, **options)
    return model


def folder_dataset(side, **options):
    """What Keras makes of a folder: float32 of 0 to 255."""
    size = (side, side)
    return keras.utils.image_dataset_from_directory(
        "faces", image_size=size, batch_size=2, shuffle=False, verbose=False, **options
    )


@pytest.mark.slow
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
        (lambda: model_of().save("a.h5"), InvalidArgument, "^filepath must end in .keras"),
        (lambda: model_of().export("a.tflite"), InvalidArgument, "format must be 'litert' for a"),
        (lambda: model_of().export("a.onnx"), InvalidArgument, "format must be 'onnx' for a.onnx"),
        (lambda: tfsr.from_preset("a.keras"), PresetError, "keras.models.load_model loads"),
        (lambda: tfsr.load_upscaler("a.keras"), PresetError, "pass what keras.models.load_model"),
        (
            lambda: compiled().fit(SMALL, (LARGE * 255).astype(np.uint8), verbose=0),
            InvalidArgument,
            "divide by 255",
        ),
        (
            lambda: compiled().fit(SMALL, LARGE, metrics=["psnr"]),
            InvalidArgument,
            "^fit has no argument 'metrics'; known: x, y, batch_size",
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


@pytest.mark.parametrize(
    ("guess", "line"),
    [
        ("tfsr.load('faces')", r"tfsr.from_preset\(NAME\) loads a Keras model"),
        ("tfsr.load_model('faces')", "loads a Keras model, tfsr.load_upscaler"),
        ("tfsr.Model", "loads a Keras model"),
        ("tfsr.models.from_preset('faces')", "loads a Keras model"),
        ("tfsr.from_pretrained('faces')", "loads a Keras model"),
        ("tfsr.presets.load('faces')", "loads a Keras model"),
        ("tfsr.presets.list()", r"tfsr.presets.names\(\) lists the presets"),
        ("tfsr.list_presets()", "lists the presets"),
        ("tfsr.models.EDSR", r'parts go by name: tfsr.ImplicitSR\("edsr-baseline", "liif"\)'),
        ("tfsr.enhance", r"tfsr.upscale\(image, scale=2\) upscales one image"),
        ("tfsr.psnr", "tfsr.metrics has it"),
        ("tfsr.version", "tfsr.__version__ has it"),
        ("tfsr.export", "tfsr.exporters has onnx, saved_model and tflite"),
        ("tfsr.exporters.export", "tfsr.exporters has onnx, saved_model and tflite"),
        ("tfsr.training.train", r"model.fit\(small, large\) train"),
        ("tfsr.losses.get('l1')", r'compile\(loss="charbonnier"\) takes names'),
        ("tfsr.data.ImageFolder", r"tfsr.data.Sampler\(FOLDER, "),
        ("tfsr.nothing", "to begin with, it has from_preset"),
        ("model.push_to_hub('me/faces')", r"model.save_to_preset\(FOLDER\) writes what a hub"),
        ("model.save_pretrained('a')", "writes what a hub stores"),
        ("model.enhance(SMALL)", r"model.upscale\(image, scale=2\) upscales"),
        ("model.to_tflite('a')", "tfsr.exporters has"),
        ("model.decode(SMALL)", r"model.render\(latent, plan\) decodes"),
        ("model.backbone", "model.encoder and model.decoder are its parts"),
        ("tfsr.load_upscaler('bicubic').fit", r"tfsr.from_preset\(NAME\) loads a Keras model"),
        ("tfsr.load_upscaler('bicubic').nothing", "object has no attribute 'nothing'$"),
        ("model.nothing", "object has no attribute 'nothing'$"),
        ("model.input", "has never been called"),  # The error of a property, not its name.
    ],
)
def test_attributes_that_are_not_there_name_those_that_are(guess, line):
    with pytest.raises(AttributeError, match=line) as caught:
        eval(guess, {"tfsr": tfsr, "model": model_of(), "SMALL": SMALL})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["data", "exporters", "losses", "models", "presets"])
def test_other_attributes_are_missing_in_pythons_words(package):
    module = getattr(tfsr, package)
    line = f"^module 'tfsr.{package}' has no attribute 'nothing'$"
    with pytest.raises(AttributeError, match=line):
        _ = module.nothing
    assert not hasattr(module, "nothing")


@pytest.mark.parametrize(
    ("guess", "line"),
    [
        ("tfsr.ImplicitSR('faces')", r"'decoder'; ImplicitSR.from_preset\(NAME\) loads a trained"),
        ("tfsr.ImplicitSR(preset='faces')", "ImplicitSR.from_preset"),
        ("tfsr.SubPixelSR('edsr')", "missing a required argument: 'scale'; SubPixelSR.from_preset"),
        ("tfsr.ImplicitSR.from_preset()", "'preset'; it takes preset, strength, dtype, load_weig"),
        ("tfsr.ImplicitSR.from_preset('faces', scale=4)", "upscale takes it"),
        ("tfsr.from_preset('faces', weights=None)", "load_weights=False begins with random"),
        ("tfsr.from_preset('faces', num_classes=3)", "known: preset, strength, .*, name.$"),
        ("tfsr.from_preset('faces', 0.5, load_weights=False)", "^strength is of weights"),
        (
            "tfsr.upscale(SMALL[0], 2)",
            "^upscale: too many positional arguments; a factor is scale=",
        ),
        (
            "tfsr.upscale(SMALL[0], factor=2)",
            "^upscale has no argument 'factor': a factor is scale",
        ),
        ("tfsr.upscale(SMALL[0], width=32)", r"a size is size=\(H, W\)$"),
        ("tfsr.upscale(SMALL[0], model='faces', scale=2)", "preset= takes a name, a path or a mod"),
        ("tfsr.upscale(SMALL[0], dtype='bfloat16')", 'precision="bfloat16"$'),
        ("tfsr.upscale(SMALL[0], scal=2)", "long_side, .*Did you mean 'scale'"),
        ("tfsr.upscale(scale=2)", "missing a required argument: 'image'"),
        (
            "tfsr.load_upscaler('bicubic')(SMALL[0])",
            r"upscaler.upscale\(image, scale=2\) takes a f",
        ),
        ("tfsr.load_upscaler('bicubic').upscale(SMALL[0], 2)", "a factor is scale=2$"),
        ("tfsr.load_upscaler('faces', dtype='bfloat16')", 'precision="bfloat16"$'),
        ("tfsr.exporters.tflite(model, 'a.tflite')", "missing a required argument: 'lr_size'; it"),
        ("model.upscale(SMALL, 2)", "a factor is scale=2$"),
        ("model.upscale(SMALL, factor=2)", "a factor is scale=2$"),
        ("model.upscale(images=SMALL)", "Did you mean 'image'"),
        ("model.upscale(SMALL[0], scale=2)", r"tfsr.upscale\(image, preset=model, scale=2\) takes"),
        ("model.upscale('face.png', scale=2)", r"array \(batch, h, w, 3\); received str: tfsr.ups"),
        ("model.upscale(Image.new('RGB', (9, 8)), scale=2)", "received Image: tfsr.upscale"),
        ("model.upscale(list(SMALL), scale=2)", "received list: tfsr.upscale"),
        ("model.upscale(SMALL * 255, scale=2)", r"^image must be in \[0, 1\]; its largest .* 255$"),
        ("model.encode(SMALL[0])", "^image must be .*; received shape"),
        ("model.decoder(SMALL)", "^a decoder is not called"),
        ("model.compile(learning_rate=1e-4)", "an optimizer has it: keras.optimizers.Adam"),
        ("model.compile(loss='l3')", "^loss must be one of charbonnier, fft, l1, l2, or a loss of"),
        ("compiled(metrics=[tfsr.metrics.psnr]).fit(SMALL, LARGE, verbose=0)", r"metrics.PSNR\(\)"),
        ("compiled(metrics=['ssim']).fit(SMALL, SMALL, verbose=0)", "at least 11x11 pixels"),
        ("compiled().fit(SMALL)", r"^fit takes pairs, fit\(small, large\) or a dataset of"),
        ("compiled().fit(SMALL, np.zeros(4))", "received no large images"),
        (
            "compiled().fit(SMALL[0], LARGE[0])",
            r"^x of fit must be arrays \(batch, h, w, 3\), such",
        ),
        ("compiled().fit(list(SMALL), list(LARGE))", r"such as np.stack\(images\)"),
        ("compiled().fit('faces')", "or a dataset of batches; received str$"),
        ("compiled().fit(SMALL * 255, LARGE * 255)", r"^x must be in \[0, 1\]; its largest value"),
        (
            "compiled().fit(tf.data.Dataset.from_tensor_slices((SMALL, LARGE)))",
            "dataset of batches",
        ),
        ("compiled().fit(folder_dataset(8))", "^fit takes pairs"),
        ("compiled().evaluate(folder_dataset(8, labels=None))", "^evaluate takes pairs"),
        (
            "compiled().fit(tf.data.Dataset.zip("
            "folder_dataset(8, labels=None), folder_dataset(16, labels=None)))",
            r"^x must be in \[0, 1\]; its largest value is \d.*: divide by 255$",
        ),
        ("model.predict(Image.new('RGB', (9, 8)))", "^x of predict must be .* received Image$"),
        ("model.predict('face.png')", "received str$"),
        ("model.predict(SMALL, scale=2)", "^predict has no argument 'scale': upscale takes it"),
        ("model.export('a.tflite')", "tfsr.exporters.tflite exports upscale"),
    ],
)
def test_calls_that_do_not_fit_name_those_that_do(guess, line, tmp_path, monkeypatch):
    for kind in ("a", "b"):
        tiny.folder(tmp_path / "faces" / kind, count=2, side=16)
    monkeypatch.chdir(tmp_path)
    names = {"tfsr": tfsr, "np": np, "tf": tf, "Image": Image, "SMALL": SMALL, "LARGE": LARGE}
    names |= {"model": model_of(), "compiled": compiled, "folder_dataset": folder_dataset}
    with pytest.raises(InvalidArgument, match=line) as caught:
        eval(guess, names)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_arguments_of_a_preset():
    exact = tfsr.from_preset("faces-mobile")
    fresh = tfsr.from_preset("faces-mobile", load_weights=False)
    for part in ("encoder", "decoder"):
        assert fresh.get_config()[part] == exact.get_config()[part]
    assert any(
        (a != b).any() for a, b in zip(fresh.get_weights(), exact.get_weights(), strict=True)
    )
    frozen = tfsr.ImplicitSR.from_preset("faces-mobile", trainable=False, name="mine")
    assert frozen.name == "mine" and not frozen.trainable_weights and exact.trainable_weights
    for weight, other in zip(frozen.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_parts_are_layers_by_name():
    model = model_of()
    assert model.get_layer("encoder") is model.encoder is model.get_layer(model.encoder.name)
    assert model.get_layer("decoder") is model.decoder is model.get_layer(index=1)
    with pytest.raises(ValueError, match="No such layer: head"):
        model.get_layer("head")


@pytest.mark.slow
def test_losses_and_metrics_by_name(tmp_path):
    model = compiled("charbonnier", metrics=["psnr", "ssim"])
    model.fit(SMALL, LARGE, verbose=0)
    loss, psnr, ssim = model.evaluate(SMALL, LARGE, verbose=0)
    output = model.upscale(SMALL, LARGE.shape[1:3])
    assert loss == pytest.approx(float(tfsr.losses.Charbonnier()(LARGE, output)), rel=1e-5)
    for found, expected in (
        (psnr, tf.image.psnr(output, LARGE, 1.0)),
        (ssim, tf.image.ssim(output, LARGE, 1.0)),
    ):
        assert found == pytest.approx(float(np.mean(expected)), rel=1e-4)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    assert loaded.evaluate(SMALL, LARGE, verbose=0) == pytest.approx([loss, psnr, ssim], rel=1e-6)


@pytest.mark.slow
def test_a_folder_by_keras_trains(tmp_path, monkeypatch):
    tiny.folder(tmp_path / "faces", side=32)
    monkeypatch.chdir(tmp_path)
    large = folder_dataset(32, labels=None).map(lambda images: images / 255)
    pairs = large.map(lambda x: (tf.image.resize(x, (16, 16), "bicubic", antialias=True), x))
    history = compiled(metrics=["psnr"]).fit(pairs, verbose=0).history
    assert 10 < history["psnr"][0] < 60


@pytest.mark.slow
def test_what_was_never_called_is_exported(tmp_path):
    model = model_of()
    model.export(tmp_path / "a", verbose=False)
    points = {"image": SMALL, "coordinates": np.zeros((4, 5, 2), np.float32)}
    points["cell"] = np.full((4, 5, 2), 0.1, np.float32)
    exported = tf.saved_model.load(str(tmp_path / "a"))
    np.testing.assert_allclose(exported.serve(points), model(points), atol=1e-6)


def test_a_preset_is_not_saved_to_a_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PresetError, match="^hf://me/faces: is a hub's handle; save to a folder"):
        model_of().save_to_preset("hf://me/faces")
    assert not list(tmp_path.iterdir())


def test_what_keras_takes_by_position_it_takes_here():
    parameters = {m: list(inspect.signature(getattr(tfsr.ImplicitSR, m)).parameters) for m in KERAS}
    for method, names in parameters.items():
        expected = list(inspect.signature(getattr(keras.Model, method)).parameters)
        assert names[:5] == expected[:5]
