import errno
import io
import os
import resource
import struct
import warnings
import zlib

import numpy as np
import odd_files
import pytest
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import check_writable_format, list_images, read, write


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (5, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((48, 40), Image.Resampling.BICUBIC))


def encode(image, image_format, **options):
    encoded = io.BytesIO()
    pixels = image if isinstance(image, Image.Image) else Image.fromarray(image)
    pixels.save(encoded, image_format, **options)
    return encoded.getvalue()


def hollow_png(width, height):
    """A PNG file whose header states a size, without pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + header, b"IDAT" + zlib.compress(b""), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def assert_refused(path, message, action=read):
    with pytest.raises(ImageError, match=message) as caught:
        action(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_png_is_lossless(image, tmp_path):
    write(tmp_path / "a.png", image)
    copy = read(tmp_path / "a.png")
    np.testing.assert_array_equal(copy, image)
    assert (copy.dtype, copy.flags.writeable) == (np.uint8, True)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".JPG"])
def test_lossy_formats_are_close(suffix, image, tmp_path):
    write(tmp_path / f"a{suffix}", image)
    copy = read(tmp_path / f"a{suffix}")
    assert copy.shape == image.shape
    assert np.abs(copy.astype(int) - image).mean() < 3


def test_jpeg_has_no_chroma_subsampling(image, tmp_path):
    write(tmp_path / "a.jpg", image)
    with Image.open(tmp_path / "a.jpg") as pixels:
        assert [layer[1:3] for layer in pixels.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_is_read_as_rgb(mode, tmp_path):
    white = Image.new("RGB", (7, 5), "white").convert(mode)
    (tmp_path / "a.png").write_bytes(encode(white, "PNG"))
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.full((5, 7, 3), 255))


def test_the_content_decides_the_format_and_not_the_suffix(image, tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode(image, "PNG"))
    np.testing.assert_array_equal(read(tmp_path / "a.jpg"), image)


def test_strings_are_paths_too(image, tmp_path):
    write(f"{tmp_path}/a.png", image)
    np.testing.assert_array_equal(read(f"{tmp_path}/a.png"), image)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"a face, in words\n" * 20, "not a PNG, JPEG"),
        (encode(Image.new("RGB", (4, 4)), "GIF"), "not a PNG, JPEG"),
        (encode(Image.new("RGB", (4, 4)), "PPM"), "not a PNG, JPEG, WEBP, TIFF, BMP or AVIF"),
        (hollow_png(20000, 20000), "more than 178956970 pixels"),
        (hollow_png(2**31 - 1, 2**31 - 1), "more than 178956970 pixels"),
        (hollow_png(4, 4), "damaged or cut short"),
        (hollow_png(0, 0), "damaged or cut short|not a PNG"),
        (hollow_png(4, 4)[:30], "not a PNG.* image, or its header is damaged"),
    ],
    ids=["empty", "text", "gif", "ppm", "bomb", "largest", "hollow", "no-pixels", "header"],
)
def test_other_content_is_refused(content, message, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert_refused(path, message)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(image_format, part, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (40, 48, 3)).astype(np.uint8)
    content = encode(noise, image_format)
    path = tmp_path / "a.png"
    path.write_bytes(content[: int(part * len(content))])
    assert_refused(path, "damaged or cut short|not a PNG")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF"])
def test_damaged_bytes_never_raise_anything_else(image_format, image, tmp_path):
    content = encode(image, image_format)
    rng = np.random.default_rng(0)
    path = tmp_path / "a.png"
    for _ in range(30):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 4):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            assert read(path).shape[-1] == 3
        except ImageError:
            pass


def make_missing(folder):
    return folder / "a.png", "No such file"


def make_folder(folder):
    return folder, "it is a folder"


def make_below_a_file(folder):
    (folder / "file").write_bytes(b"x")
    return folder / "file" / "a.png", "Not a directory"


def make_link_loop(folder):
    (folder / "a.png").symlink_to(folder / "a.png")
    return folder / "a.png", os.strerror(errno.ELOOP)


def make_pipe(folder):
    os.mkfifo(folder / "a.png")
    return folder / "a.png", "not a regular file"


def make_long_name(folder):
    return folder / ("a" * 300 + ".png"), "File name too long"


def make_null(folder):
    return folder / "a\0.png", "null"


UNREADABLE = [
    make_missing,
    make_folder,
    make_below_a_file,
    make_link_loop,
    make_pipe,
    make_long_name,
    make_null,
]


@pytest.mark.parametrize("make", UNREADABLE, ids=lambda make: make.__name__[5:])
def test_a_file_that_cannot_be_read_is_refused(make, tmp_path):
    path, message = make(tmp_path)
    assert_refused(path, message)


def test_a_large_image_below_the_limit_is_read_without_a_warning(image, tmp_path, monkeypatch):
    write(tmp_path / "a.png", image)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # the image has 1920, the limit is 2000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read(tmp_path / "a.png"), image)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    assert_refused(tmp_path / "a.png", "more than 1800 pixels")


def test_writing_replaces_the_file_and_leaves_nothing_else(image, tmp_path):
    write(tmp_path / "a.png", image[:3])
    write(tmp_path / "a.png", image)
    assert os.listdir(tmp_path) == ["a.png"]
    np.testing.assert_array_equal(read(tmp_path / "a.png"), image)


def test_written_files_get_the_users_permissions(image, tmp_path):
    write(tmp_path / "a.png", image)
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_name_of_the_longest_length_can_be_written(image, tmp_path):
    write(tmp_path / ("a" * 251 + ".png"), image)
    assert len(list_images(tmp_path)) == 1


def make_folder_in_the_way(folder):
    (folder / "a.png").mkdir()
    return folder / "a.png", "Is a directory"


def make_no_parent(folder):
    return folder / "missing" / "a.png", "cannot be written: No such file"


@pytest.mark.parametrize(
    "make",
    [make_folder_in_the_way, make_no_parent, make_below_a_file, make_long_name, make_null],
    ids=lambda make: make.__name__[5:],
)
def test_a_failed_write_is_one_error_and_leaves_nothing_behind(make, image, tmp_path):
    path, message = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert_refused(path, message, action=lambda p: write(p, image))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_interrupted_write_leaves_the_old_file(image, tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    write(tmp_path / "a.png", image)
    before = (tmp_path / "a.png").read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        assert_refused(tmp_path / "a.png", "File too large", lambda p: write(p, image))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("a.webp", (1, 16384, 3), "16384x1 does not fit in WEBP, whose longest side is 16383"),
        ("a.jpg", (65501, 1, 3), "1x65501 does not fit in JPEG, whose longest side is 65500"),
        (
            "a.gif",
            (4, 4, 3),
            "must be one of .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp, .avif; received '.gif'",
        ),
        ("a.jpgg", (4, 4, 3), "Did you mean '.jpg'"),
        ("a", (4, 4, 3), "received ''"),
    ],
)
def test_images_that_do_not_fit_a_format_are_refused(name, shape, message, tmp_path):
    blank = np.zeros(shape, np.uint8)
    assert_refused(tmp_path / name, message, action=lambda path: write(path, blank))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "shape"),
    [(".webp", (1, 16383, 3)), (".jpg", (65500, 1, 3)), (".png", (1, 70000, 3))],
)
def test_the_longest_sides_can_be_written_and_read(suffix, shape, tmp_path):
    write(tmp_path / f"a{suffix}", np.zeros(shape, np.uint8))
    assert read(tmp_path / f"a{suffix}").shape == shape


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), None],
)
def test_only_8_bit_rgb_is_written(image, tmp_path):
    with pytest.raises(InvalidArgument, match="image must be a NumPy array"):
        write(tmp_path / "a.png", image)


@pytest.mark.parametrize(
    ("name", "expected"), [("x/a.PNG", "PNG"), ("a.b.jpeg", "JPEG"), ("a.webp", "WEBP")]
)
def test_the_suffix_names_the_format(name, expected):
    assert check_writable_format(name) == expected


def test_a_size_is_checked_when_it_is_known():
    assert check_writable_format("a.webp", (16383, 2)) == "WEBP"
    with pytest.raises(ImageError, match="2x16384 does not fit"):
        check_writable_format("a.webp", (16384, 2))


def test_images_are_listed_in_order_and_nothing_else_is(tmp_path):
    for name in ["b.png", "a.JPG", "c.webp", "10.jpeg", "notes.txt", "._b.png", "noext"]:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in list_images(tmp_path)]
    assert names == ["10.jpeg", "a.JPG", "b.png", "c.webp"]
    assert list_images(str(tmp_path)) == list_images(tmp_path)


def test_a_broken_link_is_listed_so_that_reading_names_it(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    assert_refused(list_images(tmp_path)[0], "No such file")


def test_subfolders_are_listed_after_their_parent(tmp_path):
    for name in ["b.png", "z/1.png", "a/2.png", "a/b/3.png", ".hidden/4.png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path)
    assert [path.name for path in list_images(tmp_path)] == ["b.png"]
    found = [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path, True)]
    assert found == ["b.png", "a/2.png", "a/b/3.png", "z/1.png"]


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert_refused(tmp_path / "file", "Not a directory", list_images)
    assert_refused(tmp_path / "missing", "No such file", list_images)
    assert_refused(tmp_path / "empty", "no image in it", list_images)


def test_16_bit_grey_is_scaled_to_8_bits(tmp_path):
    levels = np.array([[0, 257, 20000, 32768, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "grey.png")
    expected = np.round(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(read(tmp_path / "grey.png"), expected[..., None].repeat(3, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(orientation, tmp_path):
    (tmp_path / "a.png").write_bytes(odd_files.oriented(orientation))
    np.testing.assert_array_equal(read(tmp_path / "a.png"), odd_files.RGB)
