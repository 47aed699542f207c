import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.geometry import pixel_centres
from tfsr.layers import PositionalEncoding


def test_positional_encoding_is_a_layer_and_stays_float32(rng):
    x = rng.uniform(-1, 1, (2, 5, 1)).astype(np.float32)
    arguments = {"bandwidth": 4, "identity": True}
    check_layer(PositionalEncoding, arguments, (x,), (2, 5, 9), mixed_dtype="float32")
    arguments = {"bandwidth": 4, "identity": False}
    check_layer(PositionalEncoding, arguments, (x,), (2, 5, 8), mixed_dtype="float32")


def test_values_are_x_then_sine_and_cosine_of_each_octave():
    x = pixel_centres(37)[:, None]
    columns = [x[:, 0]]
    for k in range(10):
        columns += [np.sin(2.0**k * x[:, 0]), np.cos(2.0**k * x[:, 0])]
    found = outputs(PositionalEncoding(10)(x))[0]
    np.testing.assert_allclose(found, np.stack(columns, axis=-1), atol=1e-6)


@pytest.mark.parametrize(("identity", "channels"), [(True, 21), (False, 20)])
def test_it_tells_its_channels(identity, channels):
    assert PositionalEncoding(identity=identity).channels == channels


def test_mixed_precision_does_not_touch_the_phases():
    x = pixel_centres(37)[:, None]
    exact = PositionalEncoding()(x)
    mixed = PositionalEncoding(dtype="mixed_bfloat16")(x)
    np.testing.assert_array_equal(outputs(mixed)[0], outputs(exact)[0])
