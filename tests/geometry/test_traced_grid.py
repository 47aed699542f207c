"""Coordinates computed in a graph are those computed by NumPy, bit for bit."""

from dataclasses import fields
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfsr.geometry import Axis, grid_axis

NEIGHBOUR_MODES = ["ensemble", "nearest", "nearest-exact", "corner"]
every_mode = pytest.mark.parametrize("neighbour_mode", NEIGHBOUR_MODES)


@cache
def traced(neighbour_mode):
    """`grid_axis` in a graph whose sizes are known when it runs."""
    number = tf.TensorSpec((), tf.int32)

    def arrays(lr, hr, start, stop):
        return grid_axis(lr, hr, start, stop, neighbour_mode).arrays()

    return tf.function(arrays, input_signature=[number] * 4, autograph=False)


def check(lr, hr, start, stop, neighbour_mode):
    expected = grid_axis(lr, hr, start, stop, neighbour_mode)
    found = Axis(*(x.numpy() for x in traced(neighbour_mode)(lr, hr, start, stop)))
    for field in fields(Axis):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a.view(np.int32), b.view(np.int32), err_msg=field.name)


@given(data=st.data(), lr=st.integers(1, 600), neighbour_mode=st.sampled_from(NEIGHBOUR_MODES))
def test_any_scale_and_any_part(data, lr, neighbour_mode):
    hr = data.draw(st.integers(1, 3000))
    start = data.draw(st.integers(0, hr - 1))
    check(lr, hr, start, data.draw(st.integers(start + 1, hr)), neighbour_mode)


@given(
    lr=st.integers(1, 300),
    scale=st.integers(1, 12),
    neighbour_mode=st.sampled_from(NEIGHBOUR_MODES),
)
def test_integer_scales_whose_queries_meet_centres_and_borders(lr, scale, neighbour_mode):
    check(lr, lr * scale, 0, lr * scale, neighbour_mode)


@every_mode
@pytest.mark.parametrize(("lr", "hr"), [(1, 1), (4001, 40_009), (40_009, 4001), (5000, 2**18)])
def test_long_axes(lr, hr, neighbour_mode):
    check(lr, hr, 0, hr, neighbour_mode)


@every_mode
def test_a_window_far_out_on_the_longest_axis(neighbour_mode):
    # NumPy's side would hold all of it: the two agree with doubles instead.
    lr, hr, start = 2**12, 2**24, 2**24 - 1000
    axis = Axis(*(x.numpy() for x in traced(neighbour_mode)(lr, hr, start, hr)))
    exact = -1 + (2 * np.arange(start, hr, dtype=np.float64) + 1) / hr
    np.testing.assert_allclose(axis.coordinates, exact, atol=1e-7)
    assert axis.pair_indices.min() >= lr - 2 and axis.pair_indices.max() == lr - 1


@given(n=st.integers(1, 2**24))
def test_the_constants_are_rounded_doubles(n):
    first, step = np.float32(-1 + 1 / n), np.float32(2 / n)
    quotient = (1 - np.float32(n)) / np.float32(n), 2 / np.float32(n)
    assert (first, step) == quotient
