import numpy as np
import pytest
from checks import check_config, outputs

from tfsr.layers import SeparableDense


@pytest.fixture
def axes(rng):
    return rng.random((5, 1, 3), dtype=np.float32), rng.random((7, 3), dtype=np.float32)


@pytest.mark.parametrize("use_bias", [False, True])
def test_on_a_grid_it_is_a_dense_layer_on_both_axes_together(axes, use_bias):
    rows, columns = axes
    layer = SeparableDense(4, use_bias=use_bias)
    row_term, column_term = outputs(layer(rows, columns))
    assert row_term.shape == (5, 1, 4) and column_term.shape == (7, 4)

    row_kernel, column_kernel, *bias = layer.get_weights()
    both = np.concatenate([rows.repeat(7, axis=1), columns[None].repeat(5, axis=0)], axis=-1)
    expected = both @ np.concatenate([row_kernel, column_kernel])
    expected += bias[0] if use_bias else 0
    np.testing.assert_allclose(row_term + column_term, expected, atol=1e-6)


@pytest.mark.parametrize("use_bias", [False, True])
def test_the_terms_apart_are_those_of_a_call(axes, use_bias):
    rows, columns = axes
    layer = SeparableDense(4, use_bias=use_bias)
    both = outputs(layer(rows, columns))
    np.testing.assert_array_equal(outputs(layer.row_term(rows))[0], both[0])
    np.testing.assert_array_equal(outputs(layer.column_term(columns))[0], both[1])


def test_the_bias_is_in_the_rows_term_alone(axes):
    rows, columns = axes
    layer = SeparableDense(4, use_bias=True)
    layer(rows, columns)
    bias = layer.get_weights()[2]
    assert np.abs(bias).min() > 0
    np.testing.assert_array_equal(
        outputs(layer.row_term(0 * rows))[0], np.broadcast_to(bias, (5, 1, 4))
    )
    assert not outputs(layer.column_term(0 * columns))[0].any()


def test_for_points_both_terms_have_the_points_shape(rng):
    rows, columns = rng.random((2, 2, 6, 3), dtype=np.float32)
    row_term, column_term = SeparableDense(4)(rows, columns)
    assert row_term.shape == column_term.shape == (2, 6, 4)


def test_config():
    arguments = {"units": 4, "fan_in": 580, "use_bias": True}
    check_config(SeparableDense(**arguments), arguments)


@pytest.mark.parametrize(("fan_in", "limit"), [(None, 1 / np.sqrt(6)), (400, 1 / 20)])
def test_weights_start_within_the_whole_layers_range(fan_in, limit):
    layer = SeparableDense(500, fan_in, use_bias=True)
    layer.build((None, 3))
    for weights in layer.get_weights():
        assert 0.95 * limit < np.abs(weights).max() <= limit


def test_rows_and_columns_are_initialized_independently():
    layer = SeparableDense(64)
    layer.build((None, 3))
    row_kernel, column_kernel = layer.get_weights()
    assert not np.isclose(row_kernel, column_kernel).all(axis=-1).any()


def test_mixed_precision_computes_in_float32(axes):
    exact, mixed = SeparableDense(4), SeparableDense(4, dtype="mixed_bfloat16")
    exact(*axes), mixed(*axes)
    mixed.set_weights(exact.get_weights())
    for a, b in zip(mixed(*axes), exact(*axes), strict=True):
        assert a.dtype == "float32"
        np.testing.assert_array_equal(a, b)
