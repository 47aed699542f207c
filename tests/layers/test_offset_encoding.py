import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.errors import InvalidArgument
from tfsr.layers import IntegratedPositionalEncoding, OffsetEncoding, PositionalEncoding

CHANNELS = {"none": 1, "positional": 12, "integrated": 12}


@pytest.fixture
def pixels(rng):
    offset = rng.uniform(-2, 2, (2, 9, 1)).astype(np.float32)
    return offset, rng.uniform(0.1, 1, (2, 9, 1)).astype(np.float32)


def encoded(encoding, pixels, **kwargs):
    return outputs(OffsetEncoding(encoding, 6, **kwargs)(*pixels))[0]


@pytest.mark.parametrize(("encoding", "channels"), CHANNELS.items())
def test_it_is_a_layer_and_stays_float32(pixels, encoding, channels):
    arguments = {"encoding": encoding, "bandwidth": 6}
    check_layer(OffsetEncoding, arguments, pixels, (2, 9, channels), mixed_dtype="float32")


@pytest.mark.parametrize(("encoding", "channels"), CHANNELS.items())
def test_it_tells_its_channels(encoding, channels):
    assert OffsetEncoding(encoding, 6).channels == channels


def test_without_encoding_the_offset_is_left_as_it_is(pixels):
    np.testing.assert_array_equal(encoded("none", pixels), pixels[0])
    assert OffsetEncoding().encoding == "none"


def test_the_positional_encoding_leaves_out_the_offset_and_the_radius(pixels):
    expected = outputs(PositionalEncoding(6, identity=False)(pixels[0]))[0]
    np.testing.assert_array_equal(encoded("positional", pixels), expected)


def test_the_integrated_encoding_is_over_the_pixel(pixels):
    expected = outputs(IntegratedPositionalEncoding(6)(*pixels))[0]
    np.testing.assert_array_equal(encoded("integrated", pixels), expected)


@pytest.mark.parametrize("encoding", CHANNELS)
def test_there_is_nothing_to_train(pixels, encoding):
    layer = OffsetEncoding(encoding)
    layer(*pixels)
    assert layer.count_params() == 0


def test_an_unknown_encoding_is_refused_with_the_nearest_known_one():
    message = "none, positional, integrated; got 'intergated'. Did you mean 'integrated'"
    with pytest.raises(InvalidArgument, match=message):
        OffsetEncoding("intergated")
