import io
import struct
from pathlib import Path

import numpy as np
import odd_files
import pytest
import tiny
from PIL import ExifTags, Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import DecodedImage, read, read_image, write_image
from tfsr.images.files import read_header
from tfsr.images.frames import Frames, check_holds_frames, read_frames

RGB, ALPHA = odd_files.RGB, odd_files.ALPHA
KINDS = {
    "grey": RGB[..., :1],
    "grey-alpha": np.concatenate([RGB[..., :1], ALPHA], -1),
    "rgb": RGB,
    "rgba": odd_files.RGBA,
    "grey16": odd_files.DEEP_GREY,
    "grey-alpha16": odd_files.DEEP_ALPHA[..., 2:],
    "rgb16": odd_files.DEEP,
    "rgba16": odd_files.DEEP_ALPHA,
}


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(k, s) for k in KINDS for s in ("png", "tif") if (k, s) != ("grey-alpha16", "tif")],
)
def test_lossless_formats_preserve_every_kind(kind, suffix, tmp_path):
    image = DecodedImage(KINDS[kind], odd_files.PROFILE)
    assert write_image(tmp_path / f"a.{suffix}", image) == ()
    copy = read_image(tmp_path / f"a.{suffix}")
    assert copy.pixels.dtype == image.pixels.dtype
    np.testing.assert_array_equal(copy.pixels, image.pixels)
    assert copy.profile == odd_files.PROFILE
    assert copy.notes == ()


@pytest.mark.parametrize("kind", ["rgb16", "grey-alpha16"])
def test_png_files_have_16_bits(kind, tmp_path):
    write_image(tmp_path / "a.png", DecodedImage(KINDS[kind]))
    assert (tmp_path / "a.png").read_bytes()[24] == 16


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif", "bmp"])
def test_the_same_image_gives_the_same_bytes(kind, suffix, tmp_path):
    image = DecodedImage(KINDS[kind], odd_files.PROFILE, exif_block())
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        write_image(path, image)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("kind", "suffix", "words"),
    [
        ("rgba", "jpg", "has no transparency"),
        ("rgba", "bmp", "has no transparency"),
        ("rgb16", "jpg", "stores 8 of its 16 bits"),
        ("grey16", "webp", "stores 8 of its 16 bits"),
        ("grey-alpha16", "tif", "is RGB in TIFF"),
        ("rgb", "bmp", "neither colour profile nor EXIF"),
    ],
)
def test_losses_are_reported(kind, suffix, words, tmp_path):
    image = DecodedImage(KINDS[kind], odd_files.PROFILE)
    assert words in "; ".join(write_image(tmp_path / f"a.{suffix}", image))


def test_an_opaque_alpha_is_dropped_silently(tmp_path):
    opaque = np.concatenate([RGB, np.full_like(ALPHA, 255)], -1)
    assert write_image(tmp_path / "a.jpg", DecodedImage(opaque)) == ()


def test_transparency_is_composited_on_white(tmp_path):
    write_image(tmp_path / "a.bmp", DecodedImage(odd_files.RGBA))
    white = Image.new("RGBA", (16, 12), "white")
    white.alpha_composite(Image.fromarray(odd_files.RGBA))
    expected = np.asarray(white.convert("RGB")).astype(int)
    assert np.abs(read(tmp_path / "a.bmp") - expected).max() <= 1


def test_quality_is_passed_to_lossy_encoders(tmp_path):
    lengths = []
    for quality in (20, None, 100):
        write_image(tmp_path / "a.jpg", DecodedImage(RGB), quality)
        lengths.append((tmp_path / "a.jpg").stat().st_size)
    assert lengths == sorted(set(lengths))
    for suffix in ("png", "tif", "bmp"):
        write_image(tmp_path / f"a.{suffix}", DecodedImage(RGB), 20)
        np.testing.assert_array_equal(read(tmp_path / f"a.{suffix}"), RGB)


def exif_block(orientation=None, size=(12, 16)):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Copyright] = "Somebody"
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2020:02:03 04:05:06"
    details[ExifTags.Base.ExifImageHeight], details[ExifTags.Base.ExifImageWidth] = size
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    return exif.tobytes()


@pytest.mark.parametrize("source", ["jpg", "png", "webp", "avif", "tif"])
@pytest.mark.parametrize("target", ["jpg", "png", "webp", "avif", "tif"])
def test_exif_is_preserved_without_orientation(source, target, tmp_path):
    path = tmp_path / f"source.{source}"
    Image.fromarray(RGB).save(path, exif=exif_block(orientation=6))
    image = read_image(path)
    assert image.size == read_header(path).size == (16, 12)
    large = image.changed(pixels=np.repeat(np.repeat(image.pixels, 2, 0), 2, 1))
    assert write_image(tmp_path / f"target.{target}", large) == ()
    with Image.open(tmp_path / f"target.{target}") as file:
        exif = file.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert ExifTags.Base.Orientation not in exif
        assert exif[ExifTags.Base.Make] == "Maker"
        assert details[ExifTags.Base.DateTimeOriginal] == "2020:02:03 04:05:06"
        assert details[ExifTags.Base.ExifImageWidth] == 24
        assert details[ExifTags.Base.ExifImageHeight] == 32
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
        assert file.size == (24, 32)


def test_exif_is_written_to_16_bit_png(tmp_path):
    write_image(tmp_path / "a.png", DecodedImage(odd_files.DEEP, exif=exif_block()))
    with Image.open(tmp_path / "a.png") as file:
        assert file.getexif()[ExifTags.Base.Make] == "Maker"


def test_cmyk_is_converted_and_its_profile_dropped(tmp_path):
    cmyk = Image.fromarray(RGB).convert("CMYK")
    cmyk.save(tmp_path / "a.tif", icc_profile=b"unusable")
    image = read_image(tmp_path / "a.tif")
    assert image.profile is None
    np.testing.assert_array_equal(image.rgb, np.asarray(cmyk.convert("RGB")))


@pytest.mark.parametrize("name", ["animated.webp", "animated.png", "pages.tif"])
def test_frames_are_read_and_written(name, tmp_path):
    (tmp_path / name).write_bytes(odd_files.IMAGES[name][0])
    frames = read_frames(tmp_path / name)
    assert read_header(tmp_path / name).frames == len(frames.images) == 3
    for seed, image in enumerate(frames.images):
        np.testing.assert_array_equal(image.rgb, tiny.image(12, 16, seed))
    copy_name = (tmp_path / "copy").with_suffix(Path(name).suffix)
    tiny.write_frames(copy_name, frames, quality=100)
    copy = read_frames(copy_name)
    assert (copy.durations, copy.loop) == (frames.durations, frames.loop)
    for image, expected in zip(copy.images, frames.images, strict=True):
        assert np.abs(image.rgb.astype(int) - expected.rgb).mean() < 16


def test_frames_need_a_format_that_stores_them(tmp_path):
    check_holds_frames("a.avif")
    with pytest.raises(ImageError, match="holds one image; use one of PNG, WEBP"):
        check_holds_frames("a.jpg")


def test_pages_of_several_sizes_are_refused(tmp_path):
    pages = [Image.new("L", (8, 8)), Image.new("L", (9, 9))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ImageError, match="several sizes"):
        read_frames(tmp_path / "a.tif")


def test_frames_of_several_kinds_are_converted_to_one(tmp_path):
    mixed = Frames((DecodedImage(KINDS["grey"]), DecodedImage(KINDS["rgba16"])), (40.0, 50.0))
    tiny.write_frames(tmp_path / "a.png", mixed)
    copy = read_frames(tmp_path / "a.png")
    np.testing.assert_array_equal(copy.images[0].rgb, DecodedImage(KINDS["grey"]).rgb)
    assert copy.durations == (40.0, 50.0)


def test_grey_pages_have_16_bits_in_tiff(tmp_path):
    later = DecodedImage(odd_files.DEEP_GREY // 3)
    both = Frames((DecodedImage(odd_files.DEEP_GREY), later), (40.0, 50.0))
    assert tiny.write_frames(tmp_path / "a.tif", both) == ()
    copy = read_frames(tmp_path / "a.tif")
    np.testing.assert_array_equal(copy.images[1].pixels, later.pixels)
    (word,) = tiny.write_frames(tmp_path / "a.png", both)
    assert "8 of their 16 bits" in word
    copy = read_frames(tmp_path / "a.png")
    np.testing.assert_array_equal(copy.images[1].rgb, later.in_8_bits().rgb)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("first", ["grey", "grey16", "rgb", "rgba16"])
def test_frames_of_several_depths_are_converted_to_8_bits(first, suffix, tmp_path):
    mixed = tuple(map(DecodedImage, (KINDS[first], odd_files.DEEP_GREY // 3, RGB)))
    lost = tiny.write_frames(tmp_path / f"a.{suffix}", Frames(mixed, (40.0,) * 3))
    assert "8 of their 16 bits" in "; ".join(lost)
    copies = read_frames(tmp_path / f"a.{suffix}").images
    assert len(copies) == 3
    for copy, image in zip(copies, mixed, strict=True):
        assert copy.depth == 8
        np.testing.assert_array_equal(copy.rgb, image.in_8_bits().rgb)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "avif"])
def test_a_grey_profile_is_dropped_from_rgb(suffix, tmp_path):
    profile = b"\0" * 16 + b"GRAY" + b"\0" * 108
    lost = write_image(tmp_path / f"a.{suffix}", DecodedImage(KINDS["grey"], profile))
    with Image.open(tmp_path / f"a.{suffix}") as image:
        found = image.info.get("icc_profile"), image.mode
    if suffix in ("webp", "avif"):
        assert found == (None, "RGB") and "grey profile does not fit" in "; ".join(lost)
    else:
        assert found == (profile, "L") and lost == ()


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3)), None]
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(InvalidArgument, match="pixels must be"):
        DecodedImage(pixels)


def test_a_header_is_read_without_the_pixels(tmp_path):
    content = io.BytesIO(odd_files.encoded(tiny.image(400, 300))).getvalue()
    (tmp_path / "a.png").write_bytes(content[:2000])
    assert read_header(tmp_path / "a.png").size == (400, 300)
    with pytest.raises(ImageError, match="cut short"):
        read_image(tmp_path / "a.png")


def jpeg_with_exif(path, tags, details):
    """A JPEG file of `RGB` whose first EXIF directory has these tags."""
    exif = Image.Exif()
    for tag, value in {**tags, ExifTags.Base.Make: "Maker", ExifTags.Base.Orientation: 1}.items():
        exif[tag] = value
    if details:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:02:03 04:05:06"
    Image.fromarray(RGB).save(path, exif=exif)
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize("target", ["tif", "jpg", "png"])
@pytest.mark.parametrize(
    "tags",
    [
        {0x100: 16, 0x101: 12},
        {0x101: 12},
        {0x100: 16, 0x101: 12, 0x102: (8, 8, 8), 0x106: 2, 0x115: 3},
        {0x103: 6, 0x10A: 2, 0x111: 8, 0x116: 1, 0x11C: 2, 0x153: 2, 0x212: (2, 2)},
        {0x11A: 0.0, 0x11B: 72.0, 0x128: 7, 0x9C9B: b"t\0i\0", 0xC612: b"\1\4\0\0"},
    ],
)
def test_exif_never_says_how_the_pixels_are_stored(suffix, details, target, tags, tmp_path):
    image = read_image(jpeg_with_exif(tmp_path / f"source.{suffix}", tags, details))
    large = image.changed(pixels=np.repeat(np.repeat(image.pixels, 2, 0), 2, 1))
    assert write_image(tmp_path / f"copy.{target}", large) == ()
    with Image.open(tmp_path / f"copy.{target}") as file:
        exif = file.getexif()
        assert file.size == (32, 24)
        assert exif[ExifTags.Base.Make] == "Maker"
        assert ExifTags.Base.Orientation not in exif
        assert exif.get(ExifTags.Base.ImageWidth, 32) == 32
        assert exif.get(ExifTags.Base.ImageLength, 24) == 24
        assert (ExifTags.Base.DateTimeOriginal in exif.get_ifd(ExifTags.IFD.Exif)) == details
    if target != "jpg":
        np.testing.assert_array_equal(read_image(tmp_path / f"copy.{target}").pixels, large.pixels)


def test_an_odd_tag_does_not_cost_the_other_exif(tmp_path):
    def entry(tag, kind, count, value):
        return struct.pack("<HHI", tag, kind, count) + value

    entries = [entry(0x106, 3, 3, bytes(4)), entry(0x110, 2, 4, b"Kit\0")]
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + b"".join(entries) + bytes(4)
    Image.fromarray(RGB).save(tmp_path / "a.jpg", exif=block)
    image = read_image(tmp_path / "a.jpg")
    for name in ("a.png", "a.tif", "b.jpg"):
        assert write_image(tmp_path / name, image) == ()
        with Image.open(tmp_path / name) as file:
            assert file.getexif()[ExifTags.Base.Model] == "Kit"


@pytest.mark.parametrize("count", [1, 3])
def test_a_cover_stays_out_of_the_animation(count, tmp_path):
    frames = [Image.fromarray(tiny.image(12, 16, seed)) for seed in range(count)]
    cover = Image.new("RGB", (16, 12), (0, 255, 0))
    times = [40.0, 80.0, 120.0][:count]
    options = {"save_all": True, "append_images": frames, "duration": times, "loop": 2}
    cover.save(tmp_path / "a.png", default_image=True, **options)
    assert tiny.write_frames(tmp_path / "b.png", read_frames(tmp_path / "a.png")) == ()
    content = (tmp_path / "b.png").read_bytes()
    at = content.index(b"acTL")
    assert int.from_bytes(content[at + 4 : at + 8]) == count
    assert content.index(b"fcTL") > content.index(b"IDAT")
    copy = read_frames(tmp_path / "b.png")
    assert (copy.has_cover, copy.loop, copy.durations[1:]) == (True, 2, tuple(times))
    assert (copy.images[0].rgb == (0, 255, 0)).all()
    for seed, image in enumerate(copy.images[1:]):
        np.testing.assert_array_equal(image.rgb, tiny.image(12, 16, seed))
    (note,) = tiny.write_frames(tmp_path / "b.webp", copy)
    assert "cover" in note
    with Image.open(tmp_path / "b.webp") as file:
        assert getattr(file, "n_frames", 1) == count
