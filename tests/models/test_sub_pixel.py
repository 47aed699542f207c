"""The fixed-scale systems."""

import json

import keras
import numpy as np
import pytest

from tfsr.errors import InvalidArgument
from tfsr.geometry import make_tiles
from tfsr.images import resize, to_float
from tfsr.losses import L1
from tfsr.models import Bicubic, ImplicitSR, SubPixelSR, from_config
from tfsr.models.sub_pixel import sub_pixels_to_space

EDSR = {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0}
RDN = {"name": "rdn", "features": 8, "blocks": 2, "layers": 2, "growth": 4}


@pytest.fixture
def images(rng):
    return rng.random((2, 7, 9, 3), dtype=np.float32)


@pytest.mark.parametrize("encoder", [EDSR, RDN], ids=["edsr", "rdn"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_the_output_is_larger_by_the_scale(encoder, scale, images):
    model = SubPixelSR(encoder, scale)
    output = model.upscale(images, scale=scale)
    assert output.shape == (2, 7 * scale, 9 * scale, 3)
    np.testing.assert_array_equal(output, np.asarray(model({"image": images})))


def test_other_sizes_are_the_models_own_resized(images):
    model = SubPixelSR(EDSR, 2)
    output = model.upscale(images, size=(20, 11))
    np.testing.assert_array_equal(output, Bicubic().upscale(np.asarray(model(images)), (20, 11)))


def test_sub_pixels_are_grouped_by_channel_then_row_then_column():
    channels = np.arange(2 * 9, dtype=np.float32).reshape(1, 1, 1, 18)
    space = np.asarray(sub_pixels_to_space(keras.ops.convert_to_tensor(channels), 3))
    np.testing.assert_array_equal(space[0, ..., 0], np.arange(9).reshape(3, 3))
    np.testing.assert_array_equal(space[0, ..., 1], np.arange(9, 18).reshape(3, 3))


@pytest.mark.parametrize(
    ("encoder", "scale", "tail"),
    [
        ("edsr-baseline", 2, 64 * 9 * 256 + 256),
        ("edsr-baseline", 3, 64 * 9 * 576 + 576),
        ("edsr-baseline", 4, 2 * (64 * 9 * 256 + 256)),
        ("rdn-a", 4, 64 * 9 * 128 + 128 + 32 * 9 * 128 + 128),
    ],
)
def test_tails_have_the_published_widths(encoder, scale, tail):
    model = SubPixelSR(encoder, scale)
    width = 32 if encoder == "rdn-a" else 64
    assert model.count_params() - model.encoder.count_params() == tail + width * 9 * 3 + 3


def test_configuration_makes_an_equal_model(images, tmp_path):
    model = SubPixelSR(RDN, 3)
    config = json.loads(json.dumps(model.get_config()))
    assert SubPixelSR.from_config(config).get_config() == config
    assert isinstance(from_config({"encoder": RDN, "scale": 3}), SubPixelSR)
    assert isinstance(from_config({"encoder": EDSR, "decoder": "liif"}), ImplicitSR)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.upscale(images, scale=3), model.upscale(images, scale=3))


def test_fit_trains_every_weight(images, rng):
    model = SubPixelSR(EDSR, 2)
    before = model.get_weights()
    target = rng.random((2, 14, 18, 3), dtype=np.float32)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=L1())
    model.fit({"image": images}, target, epochs=2, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize(
    "config",
    [
        {"encoder": EDSR, "scale": 5},
        {"encoder": EDSR, "scale": 2.5},
        {"encoder": EDSR, "scale": 2, "decodr": "liif"},
        {"scale": 2},
        {"encoder": "resnet", "scale": 2},
    ],
)
def test_impossible_models_are_refused(config):
    with pytest.raises(InvalidArgument):
        from_config(config)


def test_bicubic_is_pillows_within_a_level(rng):
    # Away from black and white: Pillow also clips between its two passes.
    image = rng.integers(64, 192, size=(24, 31, 3), dtype=np.uint8)
    for size in ((48, 62), (37, 41), (11, 50)):
        ours = np.clip(Bicubic().upscale(to_float(image)[None], size)[0], 0, 1) * 255
        assert np.abs(ours - resize(image, size).astype(np.float32)).max() < 2


@pytest.mark.parametrize("model", [Bicubic(), SubPixelSR(EDSR, 2)], ids=["bicubic", "edsr"])
@pytest.mark.parametrize(
    "arguments", [{}, {"size": (3, 4), "scale": 2}, {"scale": 0}, {"size": (0, 4)}, {"size": 4}]
)
def test_impossible_sizes_are_refused(model, arguments, images):
    with pytest.raises(InvalidArgument):
        model.upscale(images, **arguments)


def by_windows(model, image, size, memory):
    """(image, number of windows) of windows that cover it exactly once, rendered one by one."""
    renderer = model.renderer(memory)
    pixels, times = np.zeros((len(image), *size, 3), np.float32), np.zeros(size, int)
    found = make_tiles(image.shape[1:3], size, renderer.input_span, renderer.lr_pixels)
    for window in found:
        lr = image[:, slice(*window.lr_rows), slice(*window.lr_columns)]
        place = slice(*window.rows), slice(*window.columns)
        for rows, columns, colours in renderer.render(lr, window):
            pixels[:, *place][:, rows, columns] = colours
            times[place][rows, columns] += 1
    assert (times == 1).all()
    return pixels, len(found)


WINDOW_SIZES = [(52, 62), (78, 93), (52, 80), (67, 71), (26, 31), (11, 19)]


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_bicubic_by_windows_is_bicubic_at_once(size, rng, monkeypatch):
    monkeypatch.setattr("tfsr.rendering.bicubic_renderer._PIXELS_PER_BAND", 200)
    image = rng.random((2, 26, 31, 3), dtype=np.float32)
    pixels, count = by_windows(Bicubic(), image, size, memory=24 * 200)
    assert count > 1
    np.testing.assert_allclose(pixels, Bicubic().upscale(image, size), atol=1e-6)


@pytest.fixture(scope="module")
def fixed_scale():
    """Models of scales 2 and 3 and with two factors. Shared: do not change them."""
    keras.utils.set_random_seed(0)
    return {scale: SubPixelSR(EDSR, scale) for scale in (2, 3, 4)}


@pytest.mark.parametrize(
    ("scale", "size"), [*((2, size) for size in WINDOW_SIZES), (3, (78, 93)), (4, (104, 90))]
)
def test_a_fixed_scale_by_windows_is_the_whole_image(scale, size, fixed_scale, rng):
    model = fixed_scale[scale]
    image = rng.random((2, 26, 31, 3), dtype=np.float32)
    pixels, count = by_windows(model, image, size, 480 * model.renderer(0).bytes_per_lr_pixel)
    assert count > 1
    expected = model.upscale(image, size)
    np.testing.assert_allclose(pixels, expected, atol=1e-5 * expected.std())


def test_the_halo_of_a_fixed_scale_is_needed(fixed_scale, rng, monkeypatch):
    model, size = fixed_scale[2], (67, 71)
    image = rng.random((1, 26, 31, 3), dtype=np.float32)
    monkeypatch.setattr(SubPixelSR, "halo", model.halo - 1)
    pixels, _ = by_windows(model, image, size, 480 * model.renderer(0).bytes_per_lr_pixel)
    expected = model.upscale(image, size)
    assert np.abs(pixels - expected).max() > 1e-4 * expected.std()
