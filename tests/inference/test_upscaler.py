import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.errors import InvalidArgument
from tfsr.images import to_float, to_uint8
from tfsr.inference.upscaler import Upscaler


@pytest.fixture(scope="module")
def model():
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.mark.parametrize("size", [(31, 57), (12, 20), (5, 4), (260, 190)])
def test_the_answer_is_the_models_rounded(size, model):
    image = tiny.picture(12, 20)
    answer = Upscaler(model)(image, size)
    assert (answer.shape, answer.dtype) == ((*size, 3), np.uint8)
    expected = to_uint8(model.upscale(to_float(image)[None], size)[0])
    np.testing.assert_array_equal(answer, expected)


def test_the_same_picture_gives_the_same_answer(model):
    image = tiny.picture(12, 20)
    before = image.copy()
    upscaler = Upscaler(model)
    first = upscaler(image, (30, 41))
    upscaler(tiny.picture(9, 9), (20, 20))
    np.testing.assert_array_equal(upscaler(image, (30, 41)), first)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
        [[[0, 0, 0]]],
    ],
    ids=["float", "grey", "alpha", "empty", "row", "list"],
)
def test_what_is_no_8_bit_picture_is_refused(image, model):
    with pytest.raises(InvalidArgument, match="image must"):
        Upscaler(model)(image, (16, 16))


@pytest.mark.parametrize("size", [(0, 16), (16, -1)])
def test_impossible_sizes_are_refused(size, model):
    with pytest.raises(InvalidArgument, match="whole numbers of at least 1"):
        Upscaler(model)(tiny.picture(8, 8), size)
