import numpy as np
import pytest
from checks import check_layer

from tfsr.layers import Convolution, Linear


def test_linear_is_a_layer(rng):
    x = rng.random((2, 5, 7), dtype=np.float32)
    check_layer(Linear, {"units": 4}, (x,), (2, 5, 4))
    check_layer(Linear, {"units": 4, "fan_in": 30}, (x,), (2, 5, 4))


def test_convolution_is_a_layer_and_keeps_the_size(rng):
    x = rng.random((2, 5, 6, 7), dtype=np.float32)
    check_layer(Convolution, {"filters": 4}, (x,), (2, 5, 6, 4))
    check_layer(Convolution, {"filters": 4, "kernel_size": (1, 1)}, (x,), (2, 5, 6, 4))
    check_layer(Convolution, {"filters": 4, "fan_in": 90}, (x,), (2, 5, 6, 4))


@pytest.mark.parametrize(
    ("layer", "shape", "fan_in"),
    [
        (lambda: Linear(500), (None, 64), 64),
        (lambda: Convolution(500), (None, None, None, 16), 9 * 16),
        (lambda: Convolution(500, 1), (None, None, None, 16), 16),
        # As parts of wider layers.
        (lambda: Linear(500, fan_in=100), (None, 64), 100),
        (lambda: Linear(500, 100, use_bias=False), (None, 64), 100),
        (lambda: Convolution(500, fan_in=200), (None, None, None, 16), 200),
        (lambda: Convolution(500, 1, 200), (None, None, None, 16), 200),
    ],
)
def test_weights_start_uniform_within_one_over_the_root_of_fan_in(layer, shape, fan_in):
    layer = layer()
    layer.build(shape)
    limit = 1 / np.sqrt(fan_in)
    for weights in layer.get_weights():
        assert np.abs(weights).max() <= limit
        # A uniform distribution's mean, standard deviation and reach.
        assert weights.mean() == pytest.approx(0, abs=0.1 * limit)
        assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
        assert np.abs(weights).max() > 0.95 * limit


@pytest.mark.parametrize(
    ("layer", "shape"), [(Linear(64), (None, 8)), (Convolution(64), (None, None, None, 8))]
)
def test_kernel_and_bias_are_drawn_apart(layer, shape):
    layer.build(shape)
    kernel, bias = layer.get_weights()
    assert not np.isclose(kernel.reshape(-1, 64), bias).all(axis=-1).any()
