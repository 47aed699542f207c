import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.errors import ImageError
from tfsr.evaluation import PROTOCOLS, DegradationSpec
from tfsr.evaluation.dataset import make_columns
from tfsr.images import read

BENCHMARK = PROTOCOLS["benchmark"]
X2, X3 = DegradationSpec(scale=2), DegradationSpec(scale=3)
NAMES = ("bird", "cat", "dog")


def reduced(image, scale):
    height, width = (side // scale for side in image.shape[:2])
    pixels = Image.fromarray(image[: height * scale, : width * scale])
    return np.array(pixels.resize((width, height), Image.Resampling.BICUBIC))


def data_set(folder, hr="HR", lr="LR_bicubic", lr_names=NAMES, scales=(2, 3)):
    """Three images of 49x61 pixels, their LR files one level brighter than Pillow's."""
    for i, (name, lr_name) in enumerate(zip(NAMES, lr_names, strict=True)):
        image = np.clip(tiny.image(49, 61, seed=i), 0, 250).astype(np.uint8)
        tiny.save(folder / hr / f"{name}.png", image)
        for scale in scales:
            lr_file = folder / lr / f"X{scale}" / f"{lr_name}x{scale}.png"
            tiny.save(lr_file, reduced(image, scale) + 1)
    return folder


@pytest.mark.parametrize("prefix", ["", "DIV2K_valid_"])
def test_given_lr_images_are_taken(prefix, tmp_path):
    data = data_set(tmp_path, f"{prefix}HR", f"{prefix}LR_bicubic")
    for column, scale in zip(make_columns(data, BENCHMARK, [X2, X3]), (2, 3), strict=True):
        assert (column.origin, column.scale, column.border_scale) == ("LR given", scale, scale)
        for pair, name in zip(column.pairs, NAMES, strict=True):
            lr, hr = column.load(pair)
            original = read(tmp_path / f"{prefix}HR" / f"{name}.png")
            np.testing.assert_array_equal(lr, reduced(original, scale) + 1)
            height, width = (49 // scale * scale, 61 // scale * scale)
            np.testing.assert_array_equal(hr, original[:height, :width])
            assert (pair.lr_size, pair.size) == (lr.shape[:2], (height, width))


def test_without_names_in_common_files_are_paired_in_their_order(tmp_path):
    data = data_set(tmp_path, lr_names=("img_001", "img_002", "img_003"))
    (column,) = make_columns(data, BENCHMARK, [X2])
    assert [pair.lr.name for pair in column.pairs] == [f"img_00{i}x2.png" for i in (1, 2, 3)]


def test_pairs_in_another_order_are_rejected(tmp_path):
    data = data_set(tmp_path, lr_names=("img_001", "img_003", "img_002"))
    with pytest.raises(ImageError, match=r"img_002x2.png: 30x24, is not a reduction by 2 of .*cat"):
        make_columns(data, BENCHMARK, [X2])


def test_scales_that_no_data_set_brings_are_made(tmp_path):
    (column,) = make_columns(data_set(tmp_path), BENCHMARK, [DegradationSpec(scale=6)])
    assert column.origin == "LR made by Pillow's bicubic"
    lr, hr = column.load(column.pairs[0])
    np.testing.assert_array_equal(lr, reduced(read(column.pairs[0].original), 6))
    assert hr.shape == (48, 60, 3)


def test_of_a_folder_of_images_all_lr_images_are_made(tmp_path):
    (column,) = make_columns(data_set(tmp_path) / "HR", BENCHMARK, [X2])
    lr, _ = column.load(column.pairs[0])
    np.testing.assert_array_equal(lr, reduced(read(column.pairs[0].original), 2))


def test_a_protocol_without_given_images_makes_its_own(tmp_path):
    (column,) = make_columns(data_set(tmp_path), PROTOCOLS["x1-x30"], [X2])
    assert column.origin == "LR made by Pillow's bicubic"
    assert column.border_scale is None


def test_a_column_asked_for_twice_is_one(tmp_path):
    (column,) = make_columns(data_set(tmp_path), BENCHMARK, [X2, DegradationSpec(scale=2.0)])
    assert len(column.pairs) == 3


def test_the_scale_of_a_pair_of_sizes_is_that_of_its_images(tmp_path):
    data = tiny.folder(tmp_path / "faces", side=48)
    found = make_columns(
        data, PROTOCOLS["files"], [DegradationSpec(16), DegradationSpec(16, hr_size=24)]
    )
    assert [column.scale for column in found] == [3.0, 1.5]


def hr_is_missing(data):
    (data / "HR" / "cat.png").unlink()
    return r"catx2.png: has no HR image in .*HR"


def lr_is_missing(data):
    (data / "LR_bicubic" / "X2" / "catx2.png").unlink()
    return r"HR/cat.png: has no LR image in .*X2"


def lr_folder_is_missing(data):
    (data / "LR_bicubic" / "X2").rename(data / "elsewhere")
    return "X2: is missing"


def lr_has_another_size(data):
    tiny.save(data / "LR_bicubic" / "X2" / "catx2.png", tiny.image(24, 29))
    return "catx2.png: 29x24, is not a reduction by 2"


def lr_shows_something_else(data):
    tiny.save(data / "LR_bicubic" / "X2" / "catx2.png", tiny.image(24, 30, seed=7))
    return "catx2.png: 30x24, is not a reduction by 2"


def hr_is_corrupt(data):
    whole = (data / "HR" / "cat.png").read_bytes()
    (data / "HR" / "cat.png").write_bytes(whole[: len(whole) // 2])
    return "cat.png: damaged or cut short"


def lr_is_corrupt(data):
    (data / "LR_bicubic" / "X2" / "catx2.png").write_bytes(b"no image")
    return "catx2.png: not a PNG"


def two_hr_folders(data):
    tiny.folder(data / "more_HR")
    return "holds HR and more_HR"


def hr_is_empty(data):
    for path in (data / "HR").iterdir():
        path.unlink()
    return "HR: no image in it"


def hr_is_too_small(data):
    tiny.save(data / "HR" / "cat.png", tiny.image(12, 40))
    tiny.save(data / "LR_bicubic" / "X2" / "catx2.png", reduced(tiny.image(12, 40), 2))
    return "cat.png: at x2 .* 40x12 pixels, and the protocol needs 15x15: SSIM"


@pytest.mark.parametrize(
    "damage",
    [
        hr_is_missing,
        lr_is_missing,
        lr_folder_is_missing,
        lr_has_another_size,
        lr_shows_something_else,
        hr_is_corrupt,
        lr_is_corrupt,
        two_hr_folders,
        hr_is_empty,
        hr_is_too_small,
    ],
)
def test_a_damaged_data_set_is_rejected_in_one_line(damage, tmp_path):
    words = damage(data_set(tmp_path))
    with pytest.raises(ImageError, match=words) as caught:
        make_columns(tmp_path, BENCHMARK, [X2])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("protocol", "spec", "words"),
    [
        (
            "celebahq",
            DegradationSpec(32, hr_size=512),
            "0.png: .*32-512 .*at least 512x512; received 48x48",
        ),
        ("files", DegradationSpec(64), "0.png: .* at least 64x64; received 48x48"),
        ("x1-x30", DegradationSpec(scale=60), "0.png: .* by 60 .* at least 60x60; received 48x48"),
        ("div2k", DegradationSpec(scale=30), "0.png: at x30 .* 30x30 pixels, .* needs 73x73: PSNR"),
    ],
)
def test_images_smaller_than_a_protocol_needs_are_named(protocol, spec, words, tmp_path):
    data = tiny.folder(tmp_path / "faces", side=48)
    with pytest.raises(ImageError, match=words):
        make_columns(data, PROTOCOLS[protocol], [spec])


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ImageError, match="nowhere: cannot be listed"):
        make_columns(tmp_path / "nowhere", BENCHMARK, [X2])
