"""TIFF files that Pillow does not read as they are."""

import io
from pathlib import Path

import numpy as np
import odd_files
import pytest
import tifffile
from odd_files import ALPHA, DEEP, DEEP_ALPHA, GREY, PROFILE, RGB
from PIL import Image

from tfsr.errors import ImageError
from tfsr.images import read_image
from tfsr.images.files import read_header

# Written with imagecodecs, which tests do not need.
FILES = Path(__file__).parent / "files"
COMPRESSED = {
    "rgb16-lzw.tif": DEEP,
    "rgb16-zstd.tif": DEEP,
    "rgba16-planes-lzw.tif": DEEP_ALPHA,
}
LA, LA16 = np.concatenate([GREY, ALPHA], -1), DEEP_ALPHA[..., 2:]


def written(path, pixels, planar=False, **options):
    grey = pixels.shape[2] < 3
    tifffile.imwrite(
        *(path, np.moveaxis(pixels, -1, 0) if planar else pixels),
        planarconfig="separate" if planar else "contig",
        **{"photometric": "minisblack" if grey else "rgb", "metadata": None, **options},
    )
    return path


@pytest.mark.parametrize("name", COMPRESSED)
def test_16_bits_stay_in_every_compression(name):
    image = read_image(FILES / name)
    np.testing.assert_array_equal(image.pixels, COMPRESSED[name])
    assert image.notes == ()


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("pixels", [LA, LA16, odd_files.RGBA, DEEP_ALPHA])
def test_alpha_is_read_from_planes_and_beside_grey(pixels, planar, options, tmp_path):
    options = {"extrasamples": ["unassalpha"], "iccprofile": PROFILE, **options}
    path = written(tmp_path / "a.tif", pixels, planar, **options)
    assert read_header(path).size == (12, 16)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.profile, image.notes) == (PROFILE, ())


@pytest.mark.parametrize("planar", [False, True])
def test_cmyk_of_16_bits_has_the_colours_of_8_bits(planar, tmp_path):
    cmyk = np.array(Image.fromarray(RGB).convert("CMYK"))
    path = written(
        tmp_path / "a.tif", cmyk.astype(np.uint16) * 257, planar, photometric="separated"
    )
    image = read_image(path)
    np.testing.assert_array_equal(
        image.pixels, np.asarray(Image.fromarray(RGB).convert("CMYK").convert("RGB"))
    )
    assert set(image.notes) == {"16 bits were read as 8", "CMYK was converted to RGB"}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_beside_the_colours_are_told(dtype, tmp_path):
    pixels = (RGB if dtype == np.uint8 else DEEP).astype(dtype)
    more = np.concatenate([pixels, pixels[..., :2]], -1)
    path = written(tmp_path / "a.tif", more, extrasamples=["unspecified", "unspecified"])
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    if dtype == np.uint16:  # Of 8 bits Pillow takes the colours alone, and does not tell.
        assert image.notes == ("channels beside the colours were dropped",)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.float32(RGB), "its pixels are floating point; save it with 8 or 16 bits"),
        (np.int16(RGB), "its pixels are signed integers"),
        (np.uint32(RGB), "its pixels have 32 bits a channel"),
    ],
)
def test_other_pixels_are_refused_with_the_reason(pixels, reason, tmp_path):
    path = written(tmp_path / "a.tif", pixels)
    with pytest.raises(ImageError, match=f"a.tif: {reason}"):
        read_image(path)


def test_a_large_image_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = written(tmp_path / "a.tif", LA16, extrasamples=["unassalpha"])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 90)
    with pytest.raises(ImageError, match="more than 180 pixels"):
        read_header(path)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    file = io.BytesIO()
    written(file, LA16, extrasamples=["unassalpha"])
    for length in (6, 100, len(file.getvalue()) - 100):
        (tmp_path / "a.tif").write_bytes(file.getvalue()[:length])
        with pytest.raises(ImageError, match="a.tif"):
            read_image(tmp_path / "a.tif")
