"""Axes of grids and of points, compared."""

from dataclasses import fields, replace

import numpy as np
from checks import grid_points
from hypothesis import strategies as st
from keras import ops

from tfsr.geometry import Axis, points_plan

lr_sizes = st.integers(1, 40)


hr_sizes = st.integers(1, 160)


NEIGHBOUR_MODES = ["ensemble", "nearest", "nearest-exact", "corner"]


ONE_PIXEL = NEIGHBOUR_MODES[1:]


neighbour_modes = st.sampled_from(NEIGHBOUR_MODES)


@st.composite
def spans(draw, length):
    """Some of so many rows: a slice, not empty."""
    start = draw(st.integers(0, length - 1))
    return slice(start, draw(st.integers(start + 1, length)))


def points_axis(coordinates, cells, lr, neighbour_mode):
    """The row axis of the points plan of one image of lr rows, as NumPy."""
    rows = points_plan(coordinates, cells, (lr, 1), neighbour_mode).rows
    return rows.map(lambda values: ops.convert_to_numpy(values)[0])


def axis_of_points(lr, hr, neighbour_mode="ensemble"):
    """The row axis of the points plan at the pixel centres of a grid of hr rows, as NumPy."""
    coordinates, cells = grid_points((hr, 1))
    return points_axis(coordinates, cells, lr, neighbour_mode)


def spread(indices, weights, lr):
    """The weight of every LR pixel for every query, (queries, lr)."""
    dense = np.zeros((len(indices), lr))
    for i in range(indices.shape[-1]):
        np.add.at(dense, (np.arange(len(indices)), indices[:, i]), weights[:, i])
    return dense


def assert_same_axis(found, expected):
    for field in fields(Axis):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, err_msg=field.name)


def assert_shifted(found, whole, first):
    """The same axis, its indices counted from the LR pixel `first`."""
    moved = {name: getattr(found, name) + first for name in ("indices", "pair_indices")}
    for name, values in moved.items():
        assert getattr(found, name).min() >= 0
        np.testing.assert_array_equal(values, getattr(whole, name))
    assert_same_axis(replace(found, **moved), whole)
