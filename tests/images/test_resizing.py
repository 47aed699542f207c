from pathlib import Path

import numpy as np
import pytest

from tfsr.errors import InvalidArgument
from tfsr.images import resize, to_float, to_uint8

with np.load(Path(__file__).parents[1] / "goldens" / "data_metrics.npz") as _arrays:
    GOLDEN = dict(_arrays)

SIZES = [(26, 35), (13, 17), (20, 20), (9, 12), (80, 100)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bicubic_is_the_papers_to_the_last_level(size):
    expected = GOLDEN["pil_bicubic_{}x{}".format(*size)]
    np.testing.assert_array_equal(resize(GOLDEN["hr_u8"], size), expected)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_diinns_tensor_bicubic_is_one_level_away_at_most(size):
    theirs = GOLDEN["tv_tensor_bicubic_aa_{}x{}".format(*size)].astype(int)
    assert np.abs(resize(GOLDEN["hr_u8"], size) - theirs).max() <= 1


def test_nearest_is_the_papers():
    resized = resize(GOLDEN["hr_u8"], (16, 16), "nearest")
    np.testing.assert_array_equal(resized, GOLDEN["pil_nearest_16x16"])


def test_resize_outputs_an_array_of_its_own():
    image = GOLDEN["hr_u8"].copy()
    resized = resize(image, image.shape[:2])
    resized[:] = 0
    np.testing.assert_array_equal(image, GOLDEN["hr_u8"])


@pytest.mark.parametrize(
    ("image", "size", "method", "message"),
    [
        (GOLDEN["hr"], (8, 8), "bicubic", "image must be .* of uint8; received float32"),
        (
            GOLDEN["hr_u8"][..., 0],
            (8, 8),
            "bicubic",
            r"received uint8 of shape \(53, 71\)",
        ),
        (GOLDEN["hr_u8"][:0], (8, 8), "bicubic", r"received uint8 of shape \(0, 71, 3\)"),
        ("face.png", (8, 8), "bicubic", "NumPy array .* received str"),
        (GOLDEN["hr_u8"], (0, 8), "bicubic", r"at least 1; received \(0, 8\)"),
        (GOLDEN["hr_u8"], (8.5, 8), "bicubic", "integers"),
        (GOLDEN["hr_u8"], (8, 8, 3), "bicubic", r"size must be \(height, width\)"),
        (GOLDEN["hr_u8"], 8, "bicubic", r"size must be \(height, width\)"),
        (GOLDEN["hr_u8"], (8, 8), "bicubik", "Did you mean 'bicubic'"),
    ],
)
def test_impossible_arguments_are_refused(image, size, method, message):
    with pytest.raises(InvalidArgument, match=message):
        resize(image, size, method)


def test_every_level_survives_float_and_back():
    levels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    as_float = to_float(levels)
    assert as_float.dtype == np.float32
    assert (as_float.min(), as_float.max()) == (0, 1)
    np.testing.assert_array_equal(to_uint8(as_float), levels)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_to_uint8_rounds_and_clips(dtype):
    values = np.array([[[-0.5, 0.0, 0.49 / 255], [0.51 / 255, 99.6 / 255, np.inf]]], dtype)
    np.testing.assert_array_equal(to_uint8(values), [[[0, 0, 0], [1, 100, 255]]])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((2, 2, 3), np.nan), "image must not contain NaN"),
        (np.zeros((2, 2, 3), np.uint8), "must be .* of float32"),
        (np.zeros((1, 2, 2, 3)), r"received float64 of shape \(1, 2, 2, 3\)"),
    ],
)
def test_to_uint8_refuses_other_arrays(image, message):
    with pytest.raises(InvalidArgument, match=message):
        to_uint8(image)


def test_to_float_refuses_floats():
    with pytest.raises(InvalidArgument, match="of uint8 or uint16; received float64"):
        to_float(np.zeros((2, 2, 3)))
