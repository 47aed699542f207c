"""Whatever an image is, its output is of the same kind."""

import keras
import numpy as np
import odd_files
import pytest
import tensorflow as tf
import tiny
from checks import check_refused
from function_upscaler import FunctionUpscaler
from PIL import Image
from privileges import ordinary

from tfsr.errors import ImageError
from tfsr.images import DecodedImage, read_image, to_float
from tfsr.inference.upscale_image import crop_or_pad, upscale_image

LR, SIZE = (12, 16), (25, 41)


def expected(upscaler, pixels, size=SIZE):
    """The output to (H, W, channels) of 8 or 16 bits, as files are upscaled."""
    return upscale_image(DecodedImage(pixels), size, upscaler).pixels


# Arrays.

ARRAYS = {
    "grey": odd_files.GREY,
    "grey-alpha": np.concatenate([odd_files.GREY, odd_files.ALPHA], -1),
    "rgb": odd_files.RGB,
    "rgba": odd_files.RGBA,
    "grey16": odd_files.DEEP_GREY,
    "rgb16": odd_files.DEEP,
    "rgba16": odd_files.DEEP_ALPHA,
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_integer_arrays_match_files(kind, upscaler):
    pixels = ARRAYS[kind]
    before = pixels.copy()
    output = upscaler.upscale(pixels, size=SIZE)
    np.testing.assert_array_equal(output, expected(upscaler, pixels))
    assert output.dtype == pixels.dtype
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("kind", ["grey", "grey-alpha", "rgb", "rgba"])
def test_floats_are_the_same_output_unrounded(kind, dtype, upscaler):
    pixels = (ARRAYS[kind] / np.float32(255)).astype(dtype)
    output = upscaler.upscale(pixels, size=SIZE)
    assert output.dtype == dtype
    assert 0 <= output.min() and output.max() <= 1
    # Half a level; twice that where three channels become grey, or hidden colours were rounded. A
    # float16 is rounded to an eighth of a level.
    levels = 1.23 if dtype == "float16" else 0.51 if kind == "rgb" else 1.1
    difference = np.abs(output.astype("float32") * 255 - expected(upscaler, ARRAYS[kind]))
    assert 0.1 < difference.max() <= levels


def test_grey_may_be_without_channels(upscaler):
    grey = odd_files.GREY[..., 0]
    output = upscaler.upscale(grey, size=SIZE)
    np.testing.assert_array_equal(output, expected(upscaler, odd_files.GREY)[..., 0])


@pytest.mark.parametrize("kind", ["grey", "rgba16"])
def test_a_batch_is_its_images(kind, upscaler):
    batch = np.stack([ARRAYS[kind], ARRAYS[kind][::-1]])
    output = upscaler.upscale(batch, size=SIZE)
    for found, pixels in zip(output, batch, strict=True):
        np.testing.assert_array_equal(found, expected(upscaler, pixels))


def test_bytes_may_be_in_another_order(upscaler):
    swapped = odd_files.DEEP.astype(">u2")
    output = upscaler.upscale(swapped, size=SIZE)
    assert output.dtype == swapped.dtype
    np.testing.assert_array_equal(output, expected(upscaler, odd_files.DEEP))


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"scale": 2.5}, (30, 40)),
        ({"scale": (2, 3)}, (24, 48)),
        ({"size": [25, 41]}, (25, 41)),
        ({"long_side": 40}, (30, 40)),
        ({"short_side": 30}, (30, 40)),
        ({"megapixels": 0.0012}, (30, 40)),
    ],
    ids=str,
)
def test_sizes_are_height_first(asked, size, upscaler):
    assert upscaler.upscale(odd_files.RGB, **asked).shape == (*size, 3)


@pytest.mark.parametrize(("fit", "rendered"), [("cover", (40, 53)), ("contain", (30, 40))])
def test_a_size_can_be_fitted(fit, rendered, upscaler):
    output = upscaler.upscale(odd_files.RGB, size=(40, 40), fit=fit)
    large = upscale_image(DecodedImage(odd_files.RGB), rendered, upscaler)
    np.testing.assert_array_equal(output, crop_or_pad(large, (40, 40)).pixels)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros(8, np.uint8), ("(H, W)", "(8,)")),
        (np.zeros((3, 16, 16), np.uint8), ("(H, W, channels)", "(3, 16, 16)")),
        (np.zeros((0, 8, 3), np.uint8), ("not empty",)),
        (np.zeros((0, 8, 8, 3), np.uint8), ("not empty",)),
        (np.zeros((8, 8, 0), np.uint8), ("channels",)),
        (np.zeros((1, 1, 8, 8, 3), np.uint8), ("(batch, H, W, channels)",)),
        (np.zeros((8, 8, 3), np.int64), ("uint8, uint16 or floats", "int64")),
        (np.zeros((8, 8), bool), ("bool",)),
        (np.zeros((8, 8), np.uint32), ("uint32",)),
        (np.full((8, 8, 3), 200.0), ("[0, 1]", "200", "divide")),
        (np.full((8, 8, 3), -0.1), ("[0, 1]", "clip")),
        (np.full((8, 8, 3), np.nan), ("[0, 1]", "nan")),
        ([[0, 0], [0, 0]], ("NumPy array", "list")),
        (b"a.png", ("bytes",)),
        (None, ("NoneType",)),
        (keras.KerasTensor((8, 8, 3)), ("KerasTensor",)),
    ],
)
def test_other_things_are_refused(pixels, words, upscaler):
    check_refused(lambda: upscaler.upscale(pixels, scale=2), *words)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, ("exactly one of scale, size, long_side",)),
        ({"scale": 2, "long_side": 9}, ("exactly one",)),
        ({"scale": "two"}, ("scale must", "'two'")),
        ({"scale": -1}, ("scale must",)),
        ({"scale": 1e9}, ("limit is 400", "max_output")),
        ({"size": (0, 5)}, ("size must be (height, width)",)),
        ({"size": 5}, ("size must be (height, width)",)),
        ({"long_side": 0}, ("long_side must",)),
        ({"short_side": 2.5}, ("short_side must",)),
        ({"scale": 2, "fit": "cover"}, ("fit cover requires a size",)),
        ({"size": (9, 9), "fit": "covr"}, ("fit must", "'cover'")),
        ({"scale": 2, "quality": 101}, ("quality must",)),
        ({"scale": 2, "max_input": "much"}, ("max_input must", "'much'")),
        ({"scale": 2, "max_output": float("nan")}, ("max_output must",)),
        ({"scale": 2, "max_output": 0.0001}, ("limit is 0.0001", "max_output")),
        ({"scale": 2, "output": "b.png"}, ("output applies to the path",)),
        ({"scale": 2, "output": 5}, ("output must be the path", "5")),
    ],
    ids=str,
)
def test_impossible_options_are_named_as_in_python(asked, words, upscaler):
    check_refused(lambda: upscaler.upscale(odd_files.RGB, **asked), *words)


def test_the_limit_counts_a_whole_batch(upscaler):
    batch = np.stack([odd_files.RGB] * 2)
    upscaler.upscale(batch, scale=2, max_output=0.001536)
    check_refused(lambda: upscaler.upscale(batch, scale=2, max_output=0.001535), "max_output")


# Tensors.


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "bfloat16"])
def test_a_tensor_gives_a_tensor(dtype, upscaler):
    pixels = {"uint8": odd_files.RGB, "uint16": odd_files.DEEP}.get(dtype, to_float(odd_files.RGB))
    tensor = tf.cast(tf.constant(pixels[None]), dtype)
    output = upscaler.upscale(tensor, size=SIZE)
    assert isinstance(output, tf.Tensor)
    assert (output.dtype, tuple(output.shape)) == (dtype, (1, *SIZE, 3))
    of_array = upscaler.upscale(pixels, size=SIZE)
    tolerance = 0.02 if dtype == "bfloat16" else 0
    found = tf.cast(output[0], "float32").numpy()
    np.testing.assert_allclose(found, of_array.astype(np.float32), atol=tolerance)


def test_a_tensor_without_values_is_refused(upscaler):
    traced = tf.function(lambda tensor: upscaler.upscale(tensor, scale=2), autograph=False)
    check_refused(lambda: traced(tf.constant(odd_files.RGB)), "tf.function")


# Pillow's images.


@pytest.mark.parametrize(
    ("mode", "new_mode"),
    [("L", "L"), ("LA", "LA"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("I;16", "I;16")]
    + [("P", "RGB"), ("PA", "RGBA"), ("1", "L"), ("CMYK", "RGB")],
)
@pytest.mark.filterwarnings("ignore:image. CMYK was converted")
def test_images_keep_their_mode(mode, new_mode, upscaler):
    transparent = mode in ("LA", "RGBA", "PA")
    image = Image.fromarray(odd_files.RGBA if transparent else odd_files.RGB).convert(mode)
    before = image.copy()
    output = upscaler.upscale(image, size=SIZE)
    assert isinstance(output, Image.Image)
    assert (output.mode, output.size) == (new_mode, (41, 25))
    assert (image.mode, image.tobytes(), image.info) == (mode, before.tobytes(), before.info)
    pixels = np.asarray(image if new_mode == mode else image.convert(new_mode))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    found = np.asarray(output).reshape(*SIZE, -1)
    np.testing.assert_array_equal(found, expected(upscaler, pixels))


def test_images_come_out_upright_with_profile_and_exif(upscaler):
    image = Image.fromarray(odd_files.RGB.transpose(1, 0, 2)[::-1])
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    image.info.update(exif=exif.tobytes(), icc_profile=odd_files.PROFILE)
    output = upscaler.upscale(image, size=SIZE)
    np.testing.assert_array_equal(np.asarray(output), expected(upscaler, odd_files.RGB))
    assert output.info["icc_profile"] == odd_files.PROFILE
    assert dict(output.getexif()) == {0x010F: "camera"}
    assert image.getexif()[0x0112] == 6


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_images_of_other_numbers_are_one_line(mode, upscaler):
    with pytest.raises(ImageError, match="^image: its pixels are") as caught:
        upscaler.upscale(Image.new(mode, (9, 9)), scale=2)
    assert "\n" not in str(caught.value)


def test_an_image_whose_file_is_cut_short_is_one_line(upscaler, tmp_path):
    path = tiny.save(tmp_path / "a.jpg", tiny.image(200, 200))
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as image, pytest.raises(ImageError, match="^image: damaged"):
        upscaler.upscale(image, scale=2)


# Files.


@pytest.fixture
def files(tmp_path):
    for name in ("rgb.png", "alpha.png", "rgb16.png", "animated.webp"):
        (tmp_path / name).write_bytes(odd_files.IMAGES[name][0])
    return tmp_path


@pytest.mark.parametrize("as_text", [True, False])
def test_a_path_gives_an_image(as_text, upscaler, files):
    path = files / "alpha.png"
    output = upscaler.upscale(str(path) if as_text else path, size=SIZE)
    np.testing.assert_array_equal(np.asarray(output), expected(upscaler, odd_files.RGBA))


def test_a_path_with_an_output_writes_a_file(upscaler, files):
    target = files / "new" / "large.png"
    assert upscaler.upscale(files / "rgb16.png", size=SIZE, output=target) == target
    written = read_image(target).pixels
    np.testing.assert_array_equal(written, expected(upscaler, odd_files.DEEP))
    assert [path.name for path in target.parent.iterdir()] == ["large.png"]


@pytest.mark.parametrize(
    ("name", "word"), [("rgb16.png", "8 of its 16 bits"), ("animated.webp", "first of its 3")]
)
def test_what_is_lost_is_warned_of(name, word, upscaler, files):
    with pytest.warns(UserWarning, match=word) as caught:
        upscaler.upscale(files / name, size=SIZE)
    assert caught[0].filename == __file__


def test_a_file_that_is_there_is_kept_unless_overwrite_is_given(upscaler, files):
    target = tiny.save(files / "there.jpg", tiny.image(9, 9))
    before = target.read_bytes()
    with pytest.raises(ImageError, match="there.jpg: exists; overwrite=True"):
        upscaler.upscale(files / "rgb.png", size=SIZE, output=target)
    assert target.read_bytes() == before
    upscaler.upscale(files / "rgb.png", size=SIZE, output=target, overwrite=True, quality=30)
    assert read_image(target).size == SIZE


@pytest.mark.parametrize(
    ("name", "output", "word"),
    [
        ("none.png", None, "none.png: cannot be read"),
        (".", None, "it is a folder"),
        ("rgb.png", "rgb.png", "over itself"),
        ("rgb.png", "large.gif", "suffix"),
        ("rgb.png", "rgb16.png/large.png", "cannot be written"),
    ],
)
def test_what_is_wrong_with_files_is_one_line(name, output, word, upscaler, files):
    before = {path: path.read_bytes() for path in files.iterdir()}
    output = output and files / output
    with ordinary(), pytest.raises(ImageError, match=word) as caught:
        upscaler.upscale(files / name, size=SIZE, output=output, overwrite=True)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def test_limits_are_known_before_pixels_are_read(upscaler, files):
    cut = files / "rgb.png"
    cut.write_bytes(cut.read_bytes()[:60])
    with pytest.raises(ImageError, match=r"limit is 0.0001.* max_input"):
        upscaler.upscale(cut, scale=2, max_input=0.0001)
    check_refused(lambda: upscaler.upscale(cut, scale=9999), "max_output")
    with pytest.raises(ImageError, match="does not fit in JPEG"):
        upscaler.upscale(cut, size=(1, 70_000), output=files / "wide.jpg")
    with pytest.raises(ImageError, match="damaged"):
        upscaler.upscale(cut, scale=2)


def test_a_file_that_appears_meanwhile_is_not_replaced_unasked(files, tmp_path):
    target = tmp_path / "a.png"

    @FunctionUpscaler
    def others_write(image, size):
        target.write_bytes(b"mine")
        return np.zeros((*size, 3), image.dtype)

    with pytest.raises(ImageError, match="a.png: exists since this began"):
        others_write.upscale(files / "rgb.png", size=SIZE, output=target)
    assert target.read_bytes() == b"mine"
