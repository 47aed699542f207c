import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.layers import Convolution, Linear, ModulatedLinear


def test_linear_is_a_layer(rng):
    x = rng.random((2, 5, 7), dtype=np.float32)
    check_layer(Linear, {"units": 4}, (x,), (2, 5, 4))
    check_layer(Linear, {"units": 4, "fan_in": 30}, (x,), (2, 5, 4))


def by_hand(layer, x):
    """The product in float64, with bias and activation."""
    kernel, *bias = (values.astype(np.float64) for values in layer.get_weights())
    output = x @ kernel + (bias[0] if bias else 0)
    return np.maximum(output, 0) if layer.activation.__name__ == "relu" else output


@pytest.mark.parametrize("shape", [(6, 7), (2, 3, 5, 7)])
@pytest.mark.parametrize("units", [15, 16], ids=lambda units: f"{units} units")
@pytest.mark.parametrize("arguments", [{}, {"use_bias": False}, {"activation": "relu"}])
def test_linear_is_the_product_and_the_bias(rng, shape, units, arguments):
    x = rng.normal(size=shape).astype(np.float32)
    layer = Linear(units, **arguments)
    found = outputs(layer(x))[0]
    assert found.shape == (*shape[:-1], units)
    np.testing.assert_allclose(found, by_hand(layer, x), atol=1e-5)


@pytest.mark.parametrize("lead", [(6,), (2, 3, 5)])
@pytest.mark.parametrize("arguments", [{"activation": "relu"}, {"use_bias": False}])
@pytest.mark.parametrize("units", [3, 20])
def test_call_concat_is_call_on_the_concatenation(rng, lead, arguments, units):
    parts = [rng.normal(size=(*lead, width)).astype(np.float32) for width in (4, 1, 6)]
    layer = Linear(units, **arguments)
    expected = outputs(layer(np.concatenate(parts, axis=-1)))[0]
    found = outputs(layer.call_concat(parts))[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_convolution_is_a_layer_and_preserves_the_size(rng):
    x = rng.random((2, 5, 6, 7), dtype=np.float32)
    check_layer(Convolution, {"filters": 4}, (x,), (2, 5, 6, 4))
    check_layer(Convolution, {"filters": 4, "kernel_size": (1, 1)}, (x,), (2, 5, 6, 4))
    check_layer(Convolution, {"filters": 4, "fan_in": 90}, (x,), (2, 5, 6, 4))


@pytest.mark.parametrize(
    ("layer", "shape", "fan_in"),
    [
        (lambda: Linear(500), (None, 64), 64),
        (lambda: ModulatedLinear(500), (None, 50), 50),
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
def test_kernel_and_bias_are_initialized_independently(layer, shape):
    layer.build(shape)
    kernel, bias = layer.get_weights()
    assert not np.isclose(kernel.reshape(-1, 64), bias).all(axis=-1).any()


def test_modulated_linear_is_a_layer(rng):
    x, factor, offset = (rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 8, 8))
    check_layer(ModulatedLinear, {"units": 8}, (x, factor, offset), (2, 7, 8))


def test_modulated_linear_scales_and_shifts_a_dense_layer(rng):
    layer = ModulatedLinear(8)
    layer.build((None, 5))
    x, scale, shift = (rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 8, 8))
    kernel, bias = layer.get_weights()
    expected = (x @ kernel + bias) * (1 + scale) + shift
    np.testing.assert_allclose(outputs(layer(x, *layer.fold(scale, shift)))[0], expected, atol=1e-5)
