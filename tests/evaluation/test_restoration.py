import io

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.evaluation import DegradationSpec, restoration_psnr
from tfsr.images import resize


@pytest.fixture
def paths(tmp_path):
    """Two images, one of them not square."""
    return [
        tiny.save(tmp_path / "a.png", tiny.image(48, 48, seed=1)),
        tiny.save(tmp_path / "b.png", tiny.image(60, 48, seed=2)),
    ]


def reduce(image, size, degradation):
    if degradation == "bicubic":
        return image.resize(size, Image.Resampling.BICUBIC)
    encoded = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(encoded, "JPEG", quality=65)
    return Image.open(encoded)


def pillow_psnr(image, lr_size, degradation, border=0):
    """PSNR of Pillow's own way there and back; sizes are (width, height) as everywhere there."""
    lr = reduce(image, lr_size, degradation)
    output = lr.resize(image.size, Image.Resampling.BICUBIC)
    difference = (np.float64(output) - np.float64(image)) / 255
    height, width = difference.shape[:2]
    inner = difference[border : height - border, border : width - border]
    return -10 * np.log10(np.mean(inner**2))


@pytest.mark.parametrize("degradation", ["bicubic", "nn65"])
@pytest.mark.parametrize("protocol, border", [("rgb", 0), ("div2k", 8)])
def test_psnr_from_a_square_lr_image(degradation, protocol, border, paths):
    spec = DegradationSpec(20, degradation=degradation)
    found = restoration_psnr(resize, paths[:1], spec, protocol)
    expected = pillow_psnr(Image.open(paths[0]), (20, 20), degradation, border)
    np.testing.assert_allclose(found, [expected], atol=1e-9)


@pytest.mark.parametrize(
    "scale, lr_size, hr_size",
    [(3, (16, 20), (48, 60)), (7, (6, 8), (42, 56)), (2.5, (19, 24), (48, 60))],
)
def test_psnr_from_a_scale_is_of_the_cropped_original(scale, lr_size, hr_size, paths):
    found = restoration_psnr(resize, paths[1:], DegradationSpec(scale=scale))
    original = Image.open(paths[1]).crop((0, 0, *hr_size))
    np.testing.assert_allclose(found, [pillow_psnr(original, lr_size, "bicubic")], atol=1e-9)


def test_images_are_brought_back_to_their_own_size(paths):
    calls = []

    def upscale(image, size):
        calls.append((image.shape, image.dtype, size))
        return resize(image, size)

    assert len(restoration_psnr(upscale, paths, DegradationSpec(scale=2))) == 2
    assert calls == [((h // 2, w // 2, 3), np.uint8, (h, w)) for h, w in ((48, 48), (60, 48))]


def test_a_perfect_output_is_infinitely_good(paths):
    assert restoration_psnr(resize, paths[:1], DegradationSpec(48)) == [np.inf]


def test_images_of_one_size_are_restored_in_batches(paths):
    shapes = []

    def upscale(images, size):
        shapes.append(images.shape[:3])
        return np.stack([resize(image, size) for image in images])

    paths = [paths[0], paths[0], paths[0], *paths]
    spec = DegradationSpec(scale=2, degradation="nn65")
    found = restoration_psnr(upscale, paths, spec, "arasfsr-y", batch=3)
    assert found == restoration_psnr(resize, paths, spec, "arasfsr-y")
    assert shapes == [(3, 24, 24), (1, 24, 24), (1, 30, 24)]


def test_specs_have_short_labels():
    specs = [DegradationSpec(64), DegradationSpec(scale=3), DegradationSpec(scale=2.5)]
    assert [spec.label for spec in specs] == ["64", "x3", "x2.5"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"lr_size": 64, "scale": 2.0},
        {"lr_size": 64, "degradation": "bicubik"},
        {"lr_size": 0},
        {"scale": 0.0},
        {"scale": -2.0},
        {"scale": float("nan")},
        {"scale": float("inf")},
    ],
)
def test_impossible_specs_are_rejected(arguments):
    with pytest.raises(InvalidArgument) as caught:
        DegradationSpec(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [{"scale": 100.0}, {"lr_size": 20}, {"lr_size": 49}])
def test_an_image_that_is_too_small_is_named(size, paths):
    with pytest.raises(ImageError, match=r"[ab]\.png"):
        restoration_psnr(resize, paths, DegradationSpec(**size))


def test_an_unknown_protocol_and_a_missing_image_are_named(paths, tmp_path):
    with pytest.raises(InvalidArgument, match="div3k"):
        restoration_psnr(resize, paths, DegradationSpec(20), "div3k")
    with pytest.raises(ImageError, match="nowhere.png"):
        restoration_psnr(resize, [tmp_path / "nowhere.png"], DegradationSpec(20))
