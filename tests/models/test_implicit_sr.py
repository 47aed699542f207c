import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from cases import quick
from checks import check_close, grid_points, outputs

from tfsr.decoders import LIIF
from tfsr.encoders import EDSR
from tfsr.errors import InvalidArgument
from tfsr.geometry import pixel_centres
from tfsr.losses import L1
from tfsr.models import ImplicitSR

ENCODER = {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0}
DECODERS = {
    "liif": {"name": "liif", "hidden": [16, 16]},
    "arasfsr": {
        "name": "arasfsr",
        "hidden": [16, 16],
        "frequency_features": 8,
        "frequency_blocks": 1,
        "seed": 5,
    },
}
every_decoder = pytest.mark.parametrize("decoder", quick(["liif"], DECODERS))


def small(decoder, **kwargs):
    return ImplicitSR(ENCODER, DECODERS[decoder], **kwargs)


@pytest.fixture
def images(rng):
    return rng.random((2, 6, 7, 3), dtype=np.float32)


@pytest.fixture
def inputs(rng, images):
    coordinates, cell = grid_points((9, 10), batch=2)
    return {"image": images, "coordinates": coordinates, "cell": cell}


# What it is made of.


@pytest.mark.parametrize(("decoder", "parameters"), [("liif", 1_567_299), ("arasfsr", 2_773_131)])
def test_published_parameter_counts(decoder, parameters):
    assert ImplicitSR("edsr-baseline", decoder).count_params() == parameters


def test_parts_are_names_mappings_or_layers():
    names = ImplicitSR.from_config({"encoder": "edsr-baseline", "decoder": "liif"})
    assert (names.encoder.blocks, names.decoder.hidden) == (16, (256,) * 4)
    mappings = ImplicitSR.from_config({"encoder": ENCODER, "decoder": DECODERS["liif"]})
    layers = ImplicitSR(EDSR(8, 1, 1.0), LIIF((16, 16)))
    assert mappings.count_params() == layers.count_params()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"encoder": "esdr", "decoder": "liif"}, "encoder must be one of .*Did you mean 'edsr'"),
        ({"encoder": "edsr", "decoder": "lif"}, "decoder must be one of .*Did you mean 'liif'"),
        (
            {"encoder": {"name": "edsr", "block": 2}, "decoder": "liif"},
            "encoder 'edsr' has no argument 'block'.*Did you mean 'blocks'",
        ),
        (
            {"encoder": ENCODER, "decoder": {"name": "liif", "local_ensembel": False}},
            "decoder 'liif' has no argument 'local_ensembel'.*Did you mean 'local_ensemble'",
        ),
        ({"encoder": "edsr"}, "needs the key 'decoder'"),
        ({"decoder": "liif"}, "needs the key 'encoder'"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(config, message):
    with pytest.raises(InvalidArgument, match=message):
        ImplicitSR.from_config(config)


@every_decoder
def test_the_configuration_is_json_and_makes_an_equal_model(decoder):
    config = small(decoder).get_config()
    copy = ImplicitSR.from_config(json.loads(json.dumps(config)))
    assert json.dumps(copy.get_config()) == json.dumps(config)
    assert ENCODER.items() <= config["encoder"].items()
    assert DECODERS[decoder].items() <= config["decoder"].items()


# Saving.


@every_decoder
def test_a_saved_model_outputs_alike(decoder, images, tmp_path):
    model = small(decoder)
    expected = model.upscale(images, size=(15, 20))
    file = tmp_path / "model.keras"
    model.save(file)
    loaded = keras.models.load_model(file, safe_mode=True)
    assert type(loaded) is ImplicitSR
    np.testing.assert_array_equal(loaded.upscale(images, size=(15, 20)), expected)


@pytest.mark.slow
def test_a_saved_model_outputs_alike_in_a_fresh_process(images, tmp_path):
    model = small("arasfsr")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    program = (
        "import keras, numpy as np, tfsr.models\n"
        "model = keras.models.load_model('model.keras', safe_mode=True)\n"
        "np.save('image.npy', model.upscale(np.load('images.npy'), size=(15, 20)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    image = np.load(tmp_path / "image.npy")
    np.testing.assert_array_equal(image, model.upscale(images, size=(15, 20)))


@every_decoder
def test_weights_travel_by_file(decoder, images, tmp_path):
    model, other = small(decoder), small(decoder)
    assert not np.allclose(model.upscale(images, scale=2), other.upscale(images, scale=2))
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(model.upscale(images, scale=2), other.upscale(images, scale=2))


@every_decoder
def test_mixed_precision_outputs_float32_near_the_exact_model(decoder, images, inputs, tmp_path):
    exact, mixed = small(decoder), small(decoder, dtype="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    image = mixed.upscale(images, size=(15, 20))
    assert image.dtype == np.float32
    assert mixed(inputs).dtype == "float32"
    expected = exact.upscale(images, size=(15, 20))
    assert not np.array_equal(image, expected)
    check_close(image, expected, 0.05)

    mixed.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for part in (loaded, loaded.encoder, loaded.decoder, loaded.decoder.mlp):
        assert part.dtype_policy.name == "mixed_bfloat16"
    np.testing.assert_array_equal(loaded.upscale(images, size=(15, 20)), image)


# Training.


@every_decoder
def test_fit_trains_every_weight(decoder, inputs, rng):
    model = small(decoder)
    before = model.get_weights()
    target = rng.random((2, 90, 3), dtype=np.float32)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=L1())
    history = model.fit(inputs, target, batch_size=1, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for variable, value in zip(model.weights, before, strict=True):
        assert not np.array_equal(variable.numpy(), value), variable.path


def test_the_divergence_term_joins_the_models_losses(inputs):
    model = ImplicitSR(ENCODER, {**DECODERS["arasfsr"], "kl_weight": 0.5})
    model(inputs)
    assert not model.losses
    model(inputs, training=True)
    (divergence,) = model.losses
    assert float(divergence) > 0


# Upscaling.


@every_decoder
def test_upscale_by_size_and_by_scale(decoder, images):
    model = small(decoder)
    by_size = model.upscale(images, size=(22, 26))
    assert by_size.shape == (2, 22, 26, 3) and by_size.dtype == np.float32
    np.testing.assert_array_equal(model.upscale(images, scale=3.7), by_size)


@every_decoder
def test_upscale_is_call_at_the_pixel_centres(decoder, images, inputs):
    model = small(decoder)
    points = outputs(model(inputs))[0].reshape(2, 9, 10, 3)
    check_close(points, model.upscale(images, size=(9, 10)), 1e-5)


@every_decoder
def test_upscale_is_encode_plan_and_render(decoder, images):
    model = small(decoder)
    latent, plan = model.encode(images), model.plan((6, 7), (22, 26))
    assert latent.dtype == "float32"
    whole = model.upscale(images, size=(22, 26))
    np.testing.assert_allclose(model.render(latent, plan), whole, atol=1e-6)
    window = model.plan((6, 7), (22, 26), window=(3, 5, 8, 9))
    np.testing.assert_allclose(model.render(latent, window), whole[:, 3:11, 5:14], atol=1e-6)


@every_decoder
def test_upscale_sees_weights_that_changed(decoder, images):
    model, other = small(decoder), small(decoder)
    model.upscale(images, size=(22, 26))
    model.set_weights(other.get_weights())
    expected = other.upscale(images, size=(22, 26))
    np.testing.assert_array_equal(model.upscale(images, size=(22, 26)), expected)


@every_decoder
def test_outputs_repeat_unless_noise_is_asked_for(decoder, images, inputs):
    model = small(decoder)
    first = model.upscale(images, scale=2)
    np.testing.assert_array_equal(model.upscale(images, scale=2), first)
    np.testing.assert_array_equal(model(inputs), model(inputs))
    stochastic = decoder == "arasfsr"
    rendered = [model.upscale(images, scale=2, sample=True) for _ in range(2)]
    assert (not np.array_equal(rendered[0], first)) == stochastic
    assert (not np.array_equal(rendered[0], rendered[1])) == stochastic
    assert (not np.array_equal(model(inputs, sample=True), model(inputs))) == stochastic


def test_a_window_places_a_crop_in_its_image():
    model = small("arasfsr")
    # Away from its border a constant image has a constant latent: only the place differs.
    flat = np.full((1, 24, 24, 3), 0.4, np.float32)
    crop, top, left = 14, 8, 10
    whole = model.upscale(flat, size=(24, 24))[0]
    expected = whole[top + 6 : top + 8, left + 6 : left + 8]

    centre = [-1 + (2 * first + crop) / 24 for first in (top, left)]
    window = np.float32([[*centre, crop / 24, crop / 24]])
    middle = pixel_centres(crop)[6:8]
    coordinates = np.stack(np.meshgrid(middle, middle, indexing="ij"), axis=-1).reshape(1, -1, 2)
    inputs = {
        "image": flat[:, :crop, :crop],
        "coordinates": coordinates,
        "cell": np.full_like(coordinates, 2 / crop),
    }
    placed = np.reshape(model({**inputs, "window": window}), (2, 2, 3))
    np.testing.assert_allclose(placed, expected, atol=1e-4)
    astray = np.reshape(model(inputs), (2, 2, 3))
    assert np.abs(astray - expected).max() > 1e-3


@pytest.mark.parametrize("shape", [(6, 7, 3), (1, 6, 7), (1, 6, 7, 4), (1, 0, 7, 3), (0, 6, 7, 3)])
def test_upscale_refuses_what_is_no_batch_of_images(shape):
    with pytest.raises(InvalidArgument, match="image must be .batch, h, w, 3."):
        small("liif").upscale(np.zeros(shape, np.float32), scale=2)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"size": (8, 8), "scale": 2},
        {"scale": 0},
        {"scale": -1.5},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"size": (0, 8)},
        {"size": (8, -1)},
    ],
)
def test_upscale_refuses_sizes_and_scales_that_make_no_sense(images, arguments):
    with pytest.raises(InvalidArgument, match="size|scale"):
        small("liif").upscale(images, **arguments)
