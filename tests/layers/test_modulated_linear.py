import numpy as np
from checks import check_layer, outputs

from tfsr.layers import ModulatedLinear


def test_it_is_a_layer(rng):
    x, factor, offset = (rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 8, 8))
    check_layer(ModulatedLinear, {"units": 8}, (x, factor, offset), (2, 7, 8))


def test_it_scales_and_shifts_a_dense_layer(rng):
    layer = ModulatedLinear(8)
    layer.build((None, 5))
    x, scale, shift = (rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 8, 8))
    kernel, bias = layer.get_weights()
    expected = (x @ kernel + bias) * (1 + scale) + shift
    np.testing.assert_allclose(outputs(layer(x, *layer.fold(scale, shift)))[0], expected, atol=1e-5)


def test_weights_start_in_the_range_of_a_dense_layer():
    layer = ModulatedLinear(200)
    layer.build((None, 50))
    for weights in layer.get_weights():
        limit = 1 / np.sqrt(50)
        assert 0.95 * limit < np.abs(weights).max() <= limit
