"""The command line and Python give the same images."""

import numpy as np
import odd_files
import pytest
from PIL import Image

import tfsr as library
from tfsr.images import read_image

NAMES = (
    *("rgb.png", "grey-alpha.png", "alpha.png", "palette-clear.png", "rgb16.png", "photo.jpg"),
    *("cmyk.jpg", "profile.png", "orientation-6.png"),
)


@pytest.mark.filterwarnings("ignore:.*(CMYK was converted|8 of its 16 bits)")
def test_the_same_options_give_the_same_images(tfsr, preset, tmp_path):
    source, target, ours = (tmp_path / name for name in ("in", "out", "python"))
    source.mkdir()
    for name in NAMES:
        (source / name).write_bytes(odd_files.IMAGES[name][0])
    options = ("--size", "40x31", "--fit", "cover", "--preset", preset)
    assert tfsr("upscale", source, "-o", target, *options)[0] == 0

    upscaler, asked = library.load_upscaler(preset), {"size": (31, 40), "fit": "cover"}
    for name in NAMES:
        upscaler.upscale(source / name, **asked, output=ours / name)
        assert (ours / name).read_bytes() == (target / name).read_bytes(), name
        if not name.endswith(".png"):
            continue  # What is written as JPEG is not what was rendered.
        expected = read_image(target / name).in_8_bits().pixels
        found = np.asarray(upscaler.upscale(source / name, **asked))
        np.testing.assert_array_equal(found.reshape(expected.shape), expected, name)
        if name == "rgb16.png":
            continue  # Pillow opens it with 8 bits.
        with Image.open(source / name) as image:
            found = np.asarray(upscaler.upscale(image, **asked))
        np.testing.assert_array_equal(found.reshape(expected.shape), expected, name)


def test_one_image_is_upscaled_in_a_line(preset):
    options = {"preset": preset, "memory": "64MiB", "self_ensemble": True}
    output = library.upscale(odd_files.RGB, scale=2.5, **options)
    expected = library.load_upscaler(preset, self_ensemble=True).upscale(odd_files.RGB, scale=2.5)
    np.testing.assert_array_equal(output, expected)
