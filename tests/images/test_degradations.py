from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfsr.errors import InvalidArgument
from tfsr.images import degradations, resize


@pytest.fixture(scope="module")
def original():
    with np.load(Path(__file__).parents[1] / "goldens" / "data_metrics.npz") as arrays:
        return arrays["hr_u8"]


def test_bicubic_is_the_bicubic_resize(original):
    np.testing.assert_array_equal(
        degradations.get("bicubic")(original, (13, 17)), resize(original, (13, 17))
    )


def test_nn65_is_what_the_authors_script_saves(original, tmp_path):
    saved = tmp_path / "lr.jpg"
    nearest = Image.fromarray(original).resize((16, 20), Image.Resampling.NEAREST)
    nearest.save(saved, quality=65)
    with Image.open(saved) as picture:
        expected = np.asarray(picture)
    lr = degradations.get("nn65")(original, (20, 16))
    assert lr.dtype == np.uint8
    np.testing.assert_array_equal(lr, expected)


def test_lower_quality_is_further_from_the_nearest_pixels(original):
    nearest = resize(original, (24, 32), "nearest").astype(int)
    errors = [
        np.abs(degradations.nearest_jpeg(original, (24, 32), quality) - nearest).mean()
        for quality in (95, 65, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("name", degradations.DEGRADATIONS)
def test_every_degradation_answers_the_size_asked_and_leaves_its_input(name, original):
    before = original.copy()
    lr = degradations.get(name)(original, (11, 7))
    assert (lr.shape, lr.dtype) == ((11, 7, 3), np.uint8)
    np.testing.assert_array_equal(original, before)
    np.testing.assert_array_equal(degradations.get(name)(original, (11, 7)), lr)


@pytest.mark.parametrize("name", degradations.DEGRADATIONS)
def test_every_degradation_refuses_impossible_sizes(name, original):
    with pytest.raises(InvalidArgument, match="size must be"):
        degradations.get(name)(original, (0, 7))


@pytest.mark.parametrize("quality", [0, 96])
def test_nearest_jpeg_refuses_qualities_off_the_scale(quality, original):
    with pytest.raises(InvalidArgument, match="quality must be between 1 and 95"):
        degradations.nearest_jpeg(original, (8, 8), quality)


def test_nearest_jpeg_refuses_what_no_jpeg_can_hold(original):
    with pytest.raises(InvalidArgument, match="size must not exceed 65500"):
        degradations.nearest_jpeg(original, (1, 65501))


@pytest.mark.parametrize(
    ("name", "message"),
    [("bicubik", "Did you mean 'bicubic'"), ("nn56", "Did you mean 'nn65'"), ("x", "one of bic")],
)
def test_an_unknown_degradation_is_an_error(name, message):
    with pytest.raises(InvalidArgument, match=message):
        degradations.get(name)
