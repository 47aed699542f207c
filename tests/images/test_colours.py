"""Colours that a file states by other means than an ICC profile."""

import io
import struct
from pathlib import Path

import numpy as np
import odd_files
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from tfsr.errors import ImageError
from tfsr.images import DecodedImage, read_image, write_image
from tfsr.images.profiles import ColourSpace

TEN_BITS = Path(__file__).parent / "files" / "ten-bits.avif"
P3_CHRM = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def gama(gamma):
    return odd_files.chunk(b"gAMA", struct.pack(">I", round(100000 / gamma)))


def chrm(points):
    return odd_files.chunk(b"cHRM", struct.pack(">8I", *points))


def cicp(primaries, transfer):
    return odd_files.chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def png_with(path, pixels, *chunks):
    content = odd_files.encoded(pixels)
    at = content.index(b"IDAT") - 4
    path.write_bytes(content[:at] + b"".join(chunks) + content[at:])
    return path


def avif_with(path, primaries, transfer):
    content = odd_files.encoded(odd_files.RGB, "AVIF")
    at = content.index(b"nclx") + 4
    path.write_bytes(content[:at] + struct.pack(">HH", primaries, transfer) + content[at + 4 :])
    return path


def to_lab(pixels, profile):
    """CIE Lab of pixels, by their profile or as sRGB."""
    if profile is None:
        source = ImageCms.createProfile("sRGB")
    else:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels)
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("LAB"),
        image.mode,
        "LAB",
        ImageCms.Intent.ABSOLUTE_COLORIMETRIC,
    )
    lab = np.asarray(ImageCms.applyTransform(image, transform)).astype(float)
    return np.stack([lab[..., 0] / 255 * 100, *(np.int8(lab[..., i]) for i in (1, 2))], -1)


# Red of Display P3 in CIE Lab, and the lightness of half of white's light.
P3_RED, LINEAR_GREY = (56.2, 94, 98), 76.2
P3_FILES = {
    "gamma": (gama(2.2), chrm(P3_CHRM)),
    "cicp": (cicp(12, 13),),
    "cicp-over-srgb": (cicp(12, 13), odd_files.chunk(b"sRGB", b"\0")),
}


@pytest.mark.parametrize("target", ["png", "jpg", "webp", "tif", "avif"])
@pytest.mark.parametrize("source", [*P3_FILES, "nclx"])
def test_display_p3_stays_as_bright_as_it_is(source, target, tmp_path):
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    if source == "nclx":
        image = read_image(avif_with(tmp_path / "a.avif", 12, 13)).changed(pixels=red)
    else:
        image = read_image(png_with(tmp_path / "a.png", red, *P3_FILES[source]))
    assert write_image(tmp_path / f"b.{target}", image) == ()
    copy = read_image(tmp_path / f"b.{target}")
    (found,) = {tuple(lab) for lab in to_lab(copy.pixels[:1, :1], copy.profile)[0]}
    np.testing.assert_allclose(found, P3_RED, atol=2)
    assert to_lab(red, None)[0, 0, 1] < 82  # of sRGB's red


def test_primaries_of_tiff_become_a_profile(tmp_path):
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[318], tags[319] = (0.3127, 0.329), (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    tags.tagtype[318] = tags.tagtype[319] = 5
    Image.fromarray(red).save(tmp_path / "a.tif", tiffinfo=tags)
    image = read_image(tmp_path / "a.tif")
    assert image.notes == ()
    np.testing.assert_allclose(to_lab(image.pixels, image.profile)[0, 0], P3_RED, atol=2)
    tags[319] = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
    Image.fromarray(red).save(tmp_path / "b.tif", tiffinfo=tags)
    assert read_image(tmp_path / "b.tif").profile is None


def test_a_transfer_function_of_tiff_is_told(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[301] = tuple(range(0, 65536, 257))
    tags.tagtype[301] = 3
    Image.new("RGB", (8, 8), 9).save(tmp_path / "a.tif", tiffinfo=tags)
    (note,) = read_image(tmp_path / "a.tif").notes
    assert "transfer function was dropped" in note


def test_colours_stated_in_the_video_stream_alone_are_told(tmp_path):
    path = avif_with(tmp_path / "a.avif", 12, 13)
    path.write_bytes(path.read_bytes().replace(b"colrnclx", b"freenone"))
    (note,) = read_image(path).notes
    assert "video stream alone: taken for sRGB" in note


@pytest.mark.parametrize("grey", [True, False])
def test_linear_light_does_not_become_dark(grey, tmp_path):
    pixels = np.full((8, 8, 1 if grey else 3), 128, np.uint8)
    image = read_image(png_with(tmp_path / "a.png", pixels, gama(1.0)))
    for suffix in ("png", "tif", "webp", "jpg", "avif"):
        write_image(tmp_path / f"b.{suffix}", image)
        copy = read_image(tmp_path / f"b.{suffix}")
        lightness = to_lab(copy.pixels, copy.profile)[..., 0]
        np.testing.assert_allclose(lightness, LINEAR_GREY, atol=1)


@pytest.mark.parametrize(
    "chunks",
    [
        (gama(2.2),),
        (gama(2.2), chrm(SRGB_CHRM)),
        (chrm(SRGB_CHRM),),
        (cicp(1, 13),),
        (odd_files.chunk(b"sRGB", b"\0"), gama(1.0), chrm(P3_CHRM)),
    ],
)
def test_what_is_srgb_gets_no_profile(chunks, tmp_path):
    image = read_image(png_with(tmp_path / "a.png", odd_files.RGB, *chunks))
    assert (image.profile, image.notes) == (None, ())


@pytest.mark.parametrize("codes", [(1, 13), (2, 2), (1, 1), (1, 6)])
def test_avif_as_it_is_usually_written_gets_no_profile(codes, tmp_path):
    image = read_image(avif_with(tmp_path / "a.avif", *codes))
    assert (image.profile, image.notes) == (None, ())


@pytest.mark.parametrize(
    "chunks", [(gama(1e-4),), (chrm((0,) * 8),), (chrm((30000, 30000) * 4),), (cicp(200, 13),)]
)
def test_impossible_colours_are_told(chunks, tmp_path):
    image = read_image(png_with(tmp_path / "a.png", odd_files.RGB, *chunks))
    assert image.profile is None
    assert image.notes == ("the colours that it states are not supported: taken for sRGB",)
    np.testing.assert_array_equal(image.pixels, odd_files.RGB)


@pytest.mark.parametrize(("transfer", "word"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(transfer, word, tmp_path):
    for path in (
        png_with(tmp_path / "a.png", odd_files.RGB, cicp(9, transfer)),
        avif_with(tmp_path / "a.avif", 9, transfer),
    ):
        with pytest.raises(ImageError, match=rf"{path}: its dynamic range is high \({word}\)"):
            read_image(path)


def test_more_bits_than_are_read_are_told(tmp_path):
    with pytest.raises(ImageError, match="PQ"):
        read_image(TEN_BITS)
    content = TEN_BITS.read_bytes()
    at = content.index(b"nclx") + 4
    (tmp_path / "a.avif").write_bytes(content[:at] + struct.pack(">HH", 1, 13) + content[at + 4 :])
    image = read_image(tmp_path / "a.avif")
    assert image.notes == ("10 bits were read as 8",)
    assert image.profile is None


def grey_profile(gamma):
    return ColourSpace(gamma=gamma).profile(grey=True)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("suffix", ["webp", "avif"])
def test_a_grey_profile_is_converted_through_where_only_rgb_is_stored(suffix, alpha, tmp_path):
    pixels = np.full((8, 8, 1), 55, np.uint8)
    if alpha:
        pixels = np.concatenate([pixels, np.full_like(pixels, 200)], -1)
    image = DecodedImage(pixels, grey_profile(1.0))
    (note,) = write_image(tmp_path / f"a.{suffix}", image)
    assert "converted to sRGB" in note
    copy = read_image(tmp_path / f"a.{suffix}")
    assert copy.profile is None
    assert np.abs(copy.rgb.astype(int) - 128).max() <= 2
    if alpha:
        assert np.abs(copy.alpha.astype(int) - 200).max() <= 2


def test_16_bits_keep_the_curve_of_a_grey_profile(tmp_path):
    pixels = np.full((8, 8, 2), 55 * 257, np.uint16)
    write_image(tmp_path / "a.tif", DecodedImage(pixels, grey_profile(1.0)))
    copy = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(copy.rgb, 55 * 257)
    grey = to_lab(copy.in_8_bits().rgb, copy.profile)
    assert np.abs(grey - to_lab(np.full((8, 8, 3), 128, np.uint8), None)).max() <= 1
