import numpy as np
import pytest
from checks import check_config, outputs

from tfsr.geometry import pixel_centres
from tfsr.layers import AxisModulation

H, W, UNITS = 5, 7, 4


@pytest.fixture
def layer(rng):
    """A layer whose biases are not zero."""
    layer = AxisModulation(UNITS, bandwidth=3)
    layer.build(None)
    layer.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in layer.weights])
    return layer


def encoded(coordinates, bandwidth=3):
    x = np.float64(coordinates)[..., None]
    waves = [wave(2.0**n * x) for n in range(bandwidth) for wave in (np.sin, np.cos)]
    return np.concatenate([x, *waves], axis=-1)


def expected_factors(layer, rows, columns):
    weights = {weight.name: np.float64(weight.numpy()) for weight in layer.weights}
    return [
        1 + np.sin(encoded(axis) @ weights[f"{name}_kernel"] + weights[f"{name}_bias"])
        for name, axis in (("row", rows), ("column", columns))
    ]


def test_factors_are_the_formula(layer):
    axes = pixel_centres(H), pixel_centres(W)
    rows, columns = outputs(layer(*axes))
    assert rows.shape == (1, H, 1, UNITS) and columns.shape == (1, 1, W, UNITS)
    expected = expected_factors(layer, *axes)
    np.testing.assert_allclose(rows[0, :, 0], expected[0], atol=1e-5)
    np.testing.assert_allclose(columns[0, 0], expected[1], atol=1e-5)


def test_each_image_of_a_batch_has_coordinates_of_its_own(layer, rng):
    axes = rng.uniform(-1, 1, (2, H)), rng.uniform(-1, 1, (2, W))
    axes = [axis.astype(np.float32) for axis in axes]
    rows, columns = outputs(layer(*axes))
    assert rows.shape == (2, H, 1, UNITS) and columns.shape == (2, 1, W, UNITS)
    for i in (0, 1):
        alone = outputs(layer(axes[0][i], axes[1][i]))
        np.testing.assert_allclose(rows[i], alone[0][0], atol=1e-6)
        np.testing.assert_allclose(columns[i], alone[1][0], atol=1e-6)


def test_a_part_of_an_axis_has_the_factors_of_the_whole(layer):
    rows, columns = pixel_centres(H), pixel_centres(W)
    whole = outputs(layer(rows, columns))
    part = outputs(layer(rows[1:4], columns[2:]))
    np.testing.assert_allclose(part[0], whole[0][:, 1:4], atol=1e-6)
    np.testing.assert_allclose(part[1], whole[1][:, :, 2:], atol=1e-6)


def test_one_pixel_is_an_axis(layer):
    rows, columns = layer(pixel_centres(1), pixel_centres(W))
    assert tuple(rows.shape) == (1, 1, 1, UNITS) and tuple(columns.shape) == (1, 1, W, UNITS)


def test_factors_lie_between_0_and_2(layer):
    for factor in outputs(layer(pixel_centres(300), pixel_centres(300))):
        assert factor.min() >= 0 and factor.max() <= 2


def test_factors_start_near_1():
    layer = AxisModulation(200)
    layer.build(None)
    *kernels, row_bias, column_bias = layer.get_weights()
    assert not row_bias.any() and not column_bias.any()
    assert not np.array_equal(*kernels)
    for kernel in kernels:
        assert kernel.shape == (13, 200)
        assert 0.019 < np.abs(kernel).max() <= 0.02
    for factor in outputs(layer(pixel_centres(30), pixel_centres(30))):
        assert np.abs(factor - 1).max() < 0.26


def test_config():
    arguments = {"units": 4, "bandwidth": 3}
    check_config(AxisModulation(**arguments), arguments)


def test_mixed_precision_computes_in_float32(layer):
    mixed = AxisModulation(UNITS, 3, dtype="mixed_bfloat16")
    mixed.build(None)
    mixed.set_weights(layer.get_weights())
    axes = pixel_centres(H), pixel_centres(W)
    for a, b in zip(mixed(*axes), layer(*axes), strict=True):
        assert a.dtype == "float32"
        np.testing.assert_array_equal(a, b)
