from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tiny
from checks import check_close, check_refused
from function_upscaler import FunctionUpscaler
from PIL import Image

import tfsr
from tfsr import ImplicitSR, from_preset
from tfsr.encoders import EDSR
from tfsr.errors import InvalidArgument, PresetError, TfsrError
from tfsr.geometry import make_tiles
from tfsr.images import to_float, to_uint8
from tfsr.inference import ModelUpscaler, PhotographUpscaler, Upscaler, load_upscaler, loading
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.layers import LocalFrequencyEstimation
from tfsr.models import Bicubic, SubPixelSR
from tfsr.presets import DEFAULT, save_preset

SMALL_EDSR = tiny.MODEL["encoder"]


@pytest.mark.parametrize("size", [(12, 20), (13, 21), (130, 95)])
def test_the_output_is_the_models_rounded(size, model, upscaler):
    image = tiny.image(12, 20)
    output = upscaler(image, size)
    assert (output.shape, output.dtype) == ((*size, 3), np.uint8)
    expected = to_uint8(model.upscale(to_float(image)[None], size)[0])
    np.testing.assert_array_equal(output, expected)


def test_floats_are_neither_rounded_nor_clipped(model, upscaler):
    image = to_float(tiny.image(12, 20))
    output = upscaler(image, (31, 57))
    np.testing.assert_array_equal(output, upscaler.raw_output(tiny.image(12, 20), (31, 57)))
    np.testing.assert_array_equal(output, model.upscale(image[None], (31, 57))[0])
    assert output.dtype == np.float32
    assert output.min() < 0 or output.max() > 1


def test_the_same_image_gives_the_same_output(upscaler):
    image = tiny.image(12, 20)
    before = image.copy()
    first = upscaler(image, (30, 41))
    upscaler(tiny.image(9, 9), (20, 20))
    np.testing.assert_array_equal(upscaler(image, (30, 41)), first)
    np.testing.assert_array_equal(image, before)


@pytest.mark.slow
def test_earlier_images_do_not_change_the_output(rng):
    """To the last bit: in 16 bits a difference of 1e-7 can be seen."""
    model = ImplicitSR(SMALL_EDSR, {"name": "ipe-liif", "hidden": [16, 16]})
    image = rng.random((24, 20, 3), dtype=np.float32)
    upscaler, sizes = ModelUpscaler(model), ((60, 50), (72, 60))
    fresh = ModelUpscaler(model)
    first = [fresh(image, size) for size in sizes]
    for lr, hr in (((12, 16), (30, 40)), ((30, 31), (60, 62))):
        upscaler(rng.random((*lr, 3), dtype=np.float32), hr)
    for size, expected in zip(sizes, first, strict=True):
        np.testing.assert_array_equal(upscaler(image, size), expected)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float64),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
        [[[0, 0, 0]]],
    ],
    ids=["float", "grey", "alpha", "empty", "row", "list"],
)
def test_other_arrays_are_refused(image, upscaler):
    with pytest.raises(InvalidArgument, match="image must"):
        upscaler(image, (16, 16))


@pytest.mark.parametrize("size", [(0, 16), (16, -1)])
def test_impossible_sizes_are_refused(size, upscaler):
    with pytest.raises(InvalidArgument, match="integers of at least 1"):
        upscaler(tiny.image(8, 8), size)


# Tiles.

SMALL_RDN = {"name": "rdn", "features": 8, "blocks": 2, "layers": 1, "growth": 4}
LIIF = {"name": "liif", "hidden": [8, 8]}
MODELS = {
    "liif": (SMALL_EDSR, LIIF),
    "lte-nearest": (
        SMALL_EDSR,
        {"name": "lte", "waves": 4, "hidden": [8], "local_ensemble": False},
    ),
    "diinn": (SMALL_EDSR, {"name": "diinn", "width": 8, "layers": 2}),
    "metasr": (SMALL_EDSR, {"name": "metasr", "hidden": 8}),
    "lm-liif": (
        SMALL_EDSR,
        {"name": "lm-liif", "hidden": [8, 8], "latent_hidden": [8], "code": 4},
    ),
    "arasfsr": (SMALL_EDSR, tiny.ARASFSR),
    "rdn": (SMALL_RDN, LIIF),
}
LR = (36, 40)
SIZES = {"x2": (72, 80), "x3": (108, 120), "fractional": (91, 83), "down": (25, 23)}


@cache
def tiled_model(name):
    """Shared: do not change it."""
    return ImplicitSR(*MODELS[name])


def renderer_of_tiles(model, pixels):
    """A renderer that has memory, but renders from so many pixels at once."""
    renderer = model.renderer(2**26)
    renderer.lr_pixels = pixels
    return renderer


@cache
def tiles_renderer(name):
    """Shared, so that it is traced once."""
    return renderer_of_tiles(tiled_model(name), 1000)


def tiled(renderer, image, size):
    """(image in float32, number of tiles) of an 8-bit image, as `Upscaler` renders it."""
    output = np.full((*size, 3), np.nan, np.float32)
    tiles = make_tiles(image.shape[:2], size, renderer.input_span, renderer.lr_pixels)
    for tile in tiles:
        lr = to_float(image[slice(*tile.lr_rows), slice(*tile.lr_columns)])
        target = output[slice(*tile.rows), slice(*tile.columns)]
        for rows, columns, colours in renderer.render(lr[None], tile):
            target[rows, columns] = colours[0]
    return output, len(tiles)


def whole(model, image, size):
    """The image in float32, not compiled and in one piece."""
    latent = model.encode(to_float(image)[None])
    return np.asarray(model.render(latent, model.plan(image.shape[:2], size)))[0]


def check_tiles(renderer, model, image, size):
    """Tiles, and more than one, are the whole image."""
    pixels, count = tiled(renderer, image, size)
    assert count > 1
    check_close(pixels, whole(model, image, size), 1e-5)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("arasfsr", "fractional"),
        ("liif", "down"),
        ("lte-nearest", "x2"),
        ("diinn", "x3"),
        ("metasr", "x2"),
        ("metasr", "fractional"),
        ("rdn", "fractional"),
    ],
)
def test_tiles_are_the_whole_image(name, size):
    check_tiles(tiles_renderer(name), tiled_model(name), tiny.image(*LR), SIZES[size])


def test_tiles_of_the_shipped_model_are_the_whole_image():
    model = from_preset(DEFAULT)
    assert model.decoder.global_coordinates
    check_tiles(renderer_of_tiles(model, 42 * 58), model, tiny.image(42, 70), (61, 103))


@pytest.mark.parametrize(("name", "layer"), [("liif", EDSR), ("arasfsr", LocalFrequencyEstimation)])
def test_a_halo_of_a_pixel_less_shows(name, layer, monkeypatch):
    model, image, size = ImplicitSR(*MODELS[name]), tiny.image(*LR), SIZES["fractional"]
    part = model.decoder.frequency_estimation if name == "arasfsr" else model.encoder
    assert type(part) is layer
    # Where nothing is below 0 nothing cancels, and no pixel's share is lost in a ReLU.
    part.set_weights([np.abs(weights) for weights in part.get_weights()])
    check_tiles(renderer_of_tiles(model, 1000), model, image, size)

    expected = whole(model, image, size)
    exact = layer.halo.fget
    monkeypatch.setattr(layer, "halo", property(lambda self: exact(self) - 1))
    narrow = ImplicitSR(*MODELS[name])
    narrow.set_weights(model.get_weights())
    pixels, count = tiled(renderer_of_tiles(narrow, 1000), image, size)
    assert count > 1
    assert np.abs(pixels - expected).max() > 1e-5 * expected.std()


def tiles_of(upscaler, image, size):
    renderer = upscaler.renderer
    return len(make_tiles(image.shape[:2], size, renderer.input_span, renderer.lr_pixels))


def test_a_small_memory_renders_the_same_image():
    model, image, size = tiled_model("liif"), tiny.image(*LR), SIZES["fractional"]
    small, large = ModelUpscaler(model, memory=2**19), ModelUpscaler(model)
    assert large.memory == DEFAULT_MEMORY
    assert tiles_of(large, image, size) == 1 < tiles_of(small, image, size)
    expected = to_uint8(whole(model, image, size))
    difference = small(image, size).astype(int) - expected
    # Numbers that lie between two levels may be rounded either way.
    assert np.abs(difference).max() <= 1
    assert np.count_nonzero(difference) <= 1e-3 * difference.size


@pytest.mark.parametrize(
    ("model", "size"),
    [(Bicubic(), (150, 131)), (SubPixelSR(SMALL_EDSR, 2), (91, 83))],
    ids=["bicubic", "sub-pixel"],
)
def test_other_models_are_rendered_in_tiles_too(model, size):
    image = tiny.image(*LR)
    upscaler = ModelUpscaler(model, memory=900 * model.renderer(0).bytes_per_lr_pixel)
    assert tiles_of(upscaler, image, size) > 1
    expected = to_uint8(model.upscale(to_float(image)[None], size)[0])
    assert np.abs(upscaler(image, size).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("memory", [1, 2**16])
def test_too_little_memory_is_refused_in_one_line(memory):
    upscaler = ModelUpscaler(tiled_model("arasfsr"), memory)
    with pytest.raises(InvalidArgument) as caught:
        upscaler(tiny.image(*LR), (60, 70))
    line = str(caught.value)
    assert "\n" not in line
    assert f"memory of {memory / 2**20:.4g} MiB is not enough for this model" in line
    # The two neighbours and the halo on each side.
    side = 2 + 2 * tiled_model("arasfsr").halo
    assert f"{side}x{side} LR pixels" in line
    assert f"limit is {upscaler.renderer.lr_pixels}" in line


@pytest.mark.parametrize("memory", [0, -1, -(2**30)])
def test_memory_must_be_positive(memory):
    with pytest.raises(InvalidArgument, match=f"memory must be a positive .*; received {memory}$"):
        ModelUpscaler(Bicubic(), memory)


def test_bfloat16_is_near_the_exact_image():
    model, image, size = tiled_model("liif"), tiny.image(*LR), SIZES["fractional"]
    rounded = ModelUpscaler(model, precision="bfloat16")(image, size).astype(int)
    exact = to_uint8(whole(model, image, size))
    assert 0 < np.abs(rounded - exact).max() <= 8
    assert model.dtype_policy.name == "float32"


def test_an_unknown_precision_is_refused():
    with pytest.raises(InvalidArgument, match="Did you mean 'bfloat16'"):
        ModelUpscaler(Bicubic(), precision="bfloat6")


def test_the_default_preset_is_the_command_lines():
    assert tfsr.Upscaler is Upscaler
    found, expected = load_upscaler().model, from_preset(DEFAULT)
    for weights, those_expected in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(weights, those_expected)


@pytest.mark.parametrize(
    ("memory", "count"), [("512MiB", 2**29), (2**29, 2**29), (np.int64(2**20), 2**20)]
)
def test_memory_is_bytes_or_a_text(memory, count):
    assert ModelUpscaler(Bicubic(), memory).memory == count


@pytest.mark.parametrize("memory", ["512MB", "", 2.5, None, [2**20]])
def test_other_memory_is_refused(memory):
    check_refused(lambda: ModelUpscaler(Bicubic(), memory), "memory must", "512MiB")


@pytest.mark.parametrize("preset", [5, None, ["a"], b"a", Upscaler])
def test_what_is_no_preset_is_refused(preset):
    check_refused(lambda: load_upscaler(preset), "preset must", type(preset).__name__)


def test_an_unknown_preset_is_reported_with_the_nearest():
    with pytest.raises(PresetError, match="Did you mean 'photos'"):
        load_upscaler("photo")


def test_a_loop_loads_its_preset_once_until_its_files_change(tmp_path, monkeypatch):
    clean, robust = tmp_path / "clean", tmp_path / "robust"
    for directory in (clean, robust):
        save_preset(SubPixelSR(SMALL_EDSR, 2), directory, {})
    loaded, load = [], loading.load_upscaler
    monkeypatch.setattr(loading, "load_upscaler", lambda *a, **b: loaded.append(a) or load(*a, **b))
    image = tiny.image(8, 8)
    first = tfsr.upscale(image, scale=2, preset=clean)
    np.testing.assert_array_equal(tfsr.upscale(image, scale=2, preset=str(clean)), first)
    assert len(loaded) == 1
    for path in robust.iterdir():
        (clean / path.name).write_bytes(path.read_bytes())
    assert (tfsr.upscale(image, scale=2, preset=clean) != first).any()
    assert len(loaded) == 2


@pytest.mark.parametrize(
    ("spec", "kind"),
    [("preset", "preset"), ("preset+", "self-ensemble of a preset")]
    + [("run", "best checkpoint of a run"), ("BICUBIC", "Pillow's bicubic filter")],
)
def test_whatever_can_upscale_is_loaded_by_one_function(spec, kind, tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    for directory in ("preset", "run/best"):
        save_preset(model, directory, {})
    upscaler = load_upscaler(spec)
    assert (upscaler.kind, upscaler.rounds) == (kind, spec == "BICUBIC")
    assert upscaler.unsupported_reason((8, 8), (20, 20)) is None
    assert load_upscaler(upscaler) is upscaler
    if kind in ("preset", "best checkpoint of a run"):
        np.testing.assert_array_equal(upscaler.model.get_weights()[0], model.get_weights()[0])
        return
    image = tiny.image(8, 8)
    raw = upscaler.raw_output(image, (20, 20))
    assert raw.dtype == np.float32
    np.testing.assert_array_equal(upscaler(image, (20, 20)), to_uint8(raw))


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        ("bicubik", {}, "Did you mean 'bicubic'"),
        (".", {}, "not a preset, a run with a best checkpoint or a SavedModel"),
        ("a.txt", {}, "of model files, only .tflite and .onnx are supported"),
        ("bicubic", {"self_ensemble": True}, "self_ensemble applies to presets"),
        ("x.tflite", {"strength": 0.5}, "strength applies to presets"),
        ("x.tflite", {}, "x.tflite: cannot be read"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(spec, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    with pytest.raises(TfsrError, match=words) as caught:
        load_upscaler(spec, **options)
    assert "\n" not in str(caught.value)


def checkerboard(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("size", [(25, 25), (16, 57), (64, 25), (25, 100), (140, 20)])
@pytest.mark.parametrize("kind", ["model", "self-ensemble", "function", "photograph"])
def test_a_smaller_side_is_antialiased(kind, size, model, upscaler):
    able = {
        "model": upscaler,
        "self-ensemble": ModelUpscaler(model, self_ensemble=True),
        "function": FunctionUpscaler(lambda image, size: model.upscale(image[None], size)[0]),
        "photograph": PhotographUpscaler(upscaler, background=upscaler),
    }[kind]
    image = checkerboard(64, 64)
    if kind == "function":
        image = to_float(image)
    output = able(image, size)
    assert output.shape == (*size, 3)
    if size[0] <= 64 and size[1] <= 64:
        expected = Image.fromarray(checkerboard(64, 64)).resize(
            size[::-1], Image.Resampling.BICUBIC
        )
        levels = output if kind == "function" else to_float(output)
        np.testing.assert_allclose(levels, np.asarray(expected) / 255, atol=1.01 / 255)
    else:  # Reduced along one axis, it is flat but for the edges.
        inner = np.float32(output[8:-8, 8:-8]) / (1 if kind == "function" else 255)
        flat = upscaler.raw_output(np.full((64, 64, 3), 0.5, np.float32), size)[8:-8, 8:-8]
        np.testing.assert_allclose(inner.mean(), flat.mean(), atol=0.02)
        assert inner.std(axis=(0, 1)).max() < 0.05


def test_a_reduction_is_the_bicubic_filters_before_the_model(model, upscaler):
    image, bicubic = np.random.default_rng(0).random((20, 30, 3), np.float32), Bicubic()
    narrow = bicubic.upscale(image[None], (20, 17))
    np.testing.assert_allclose(
        upscaler(image, (31, 17)), model.upscale(narrow, (31, 17))[0], atol=1e-6
    )
    for size in ((11, 17), (20, 17), (11, 30)):
        np.testing.assert_array_equal(upscaler(image, size), ModelUpscaler(bicubic)(image, size))
