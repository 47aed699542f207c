import numpy as np
import odd_files
import pytest
from function_upscaler import FunctionUpscaler

from tfsr import from_preset
from tfsr.images import DecodedImage, to_float
from tfsr.inference import ModelUpscaler
from tfsr.inference.upscale_image import crop_or_pad, upscale_image
from tfsr.models import Bicubic

KINDS = {
    "grey": odd_files.GREY,
    "rgb": odd_files.RGB,
    "rgba": odd_files.RGBA,
    "grey16": odd_files.DEEP_GREY,
    "rgb16": odd_files.DEEP,
    "rgba16": odd_files.DEEP_ALPHA,
    "grey-alpha16": odd_files.DEEP_ALPHA[..., 2:],
}


@pytest.fixture(scope="module")
def shipped():
    return ModelUpscaler(from_preset("faces-clean"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_stays_of_its_kind(kind):
    image = DecodedImage(KINDS[kind], b"profile", b"exif")
    output = upscale_image(image, (25, 41), ModelUpscaler(Bicubic()))
    assert output.pixels.shape == (25, 41, KINDS[kind].shape[2])
    assert output.pixels.dtype == KINDS[kind].dtype
    assert (output.profile, output.exif, output.notes) == (b"profile", b"exif", ())


def test_16_bits_are_the_models_output_to_1_in_65535(model, upscaler):
    output = upscale_image(DecodedImage(odd_files.DEEP), (25, 41), upscaler).pixels
    exact = np.clip(model.upscale(to_float(odd_files.DEEP)[None], (25, 41))[0], 0, 1) * 65535
    assert np.abs(output - np.asarray(exact)).max() <= 0.51
    assert (output % 257).any()


def test_16_bits_become_8_with_a_word_where_a_model_knows_8():
    def exported(image, size):
        assert image.dtype == np.uint8
        return np.zeros((*size, 3), np.uint8)

    output = upscale_image(DecodedImage(odd_files.DEEP), (8, 8), FunctionUpscaler(exported))
    assert output.depth == 8
    assert "8 bits" in output.notes[0]


@pytest.mark.parametrize("level", [0, 100, 255])
def test_constant_alpha_costs_nothing(level):
    calls = []

    def counted(image, size):
        calls.append(image)
        return ModelUpscaler(Bicubic())(image, size)

    alpha = np.full_like(odd_files.ALPHA, level)
    pixels = np.concatenate([odd_files.RGB, alpha], -1)
    output = upscale_image(DecodedImage(pixels), (30, 30), FunctionUpscaler(counted))
    (seen,) = calls
    np.testing.assert_array_equal(seen, odd_files.RGB)
    assert (output.alpha == level).all()


@pytest.mark.parametrize("hidden", [(0, 255, 0), (255, 255, 255)])
def test_edges_of_transparency_have_no_fringe(hidden, shipped):
    """A red disc that hides another colour, laid on the same red, cannot be seen."""
    red = np.uint8([205, 60, 50])
    rows, columns = np.mgrid[:32, :32] - 15.5
    alpha = np.uint8(255 * np.clip(11 - np.hypot(rows, columns), 0, 1))[..., None]
    colours = np.where(alpha > 0, red, np.uint8(hidden))
    output = upscale_image(
        DecodedImage(np.concatenate([colours, alpha], -1)), (87, 87), shipped
    ).pixels.astype(float)
    opacity = output[..., 3:] / 255
    seen = output[..., :3] * opacity + red * (1 - opacity)
    flat = shipped(np.broadcast_to(red, (32, 32, 3)).copy(), (87, 87))
    assert np.abs(seen - red).max() <= np.abs(flat.astype(int) - red).max() + 1
    assert 0.9 < opacity.sum() / (alpha.sum() / 255 * (87 / 32) ** 2) < 1.1


@pytest.mark.parametrize("size", [(48, 48), (63, 63)])
def test_flat_colours_keep_their_mean_to_a_level(size, shipped):
    colours = np.random.default_rng(0).integers(0, 256, (8, 3)).astype(np.uint8)
    corners = np.uint8([[255 * (i >> c & 1) for c in range(3)] for i in range(8)])
    for colour in (*corners, *colours):
        flat = shipped(np.broadcast_to(colour, (24, 24, 3)).copy(), size)
        assert np.abs(flat.mean(axis=(0, 1)) - colour).max() <= 1


def test_flat_grey_stays_flat_grey(shipped):
    for level in (0, 7, 128, 200, 255):
        image = DecodedImage(np.full((24, 24, 1), level, np.uint8))
        assert np.abs(upscale_image(image, (63, 63), shipped).pixels - float(level)).max() <= 1


def test_images_are_placed_in_the_middle():
    pixels = np.arange(1, 31, dtype=np.uint8).reshape(5, 6, 1)
    np.testing.assert_array_equal(
        crop_or_pad(DecodedImage(pixels), (3, 8)).pixels[..., 0],
        np.pad(pixels[1:4, :, 0], ((0, 0), (1, 1))),
    )
    image = DecodedImage(pixels)
    assert crop_or_pad(image, (5, 6)) is image
