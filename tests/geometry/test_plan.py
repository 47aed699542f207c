import numpy as np
from axes import assert_same_axis, hr_sizes, lr_sizes, neighbour_modes, spans
from hypothesis import given
from hypothesis import strategies as st

from tfsr.geometry import grid_axis, grid_plan


@given(data=st.data(), lr_size=st.tuples(lr_sizes, lr_sizes), size=st.tuples(hr_sizes, hr_sizes))
def test_a_window_plan_equals_that_part_of_the_whole_plan(data, lr_size, size):
    rows, columns = (data.draw(spans(n)) for n in size)
    neighbour_mode = data.draw(neighbour_modes)
    whole = grid_plan(lr_size, size, neighbour_mode=neighbour_mode)
    window = rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
    plan = grid_plan(lr_size, size, window=window, neighbour_mode=neighbour_mode)
    assert_same_axis(plan.rows, whole.rows[rows])
    assert_same_axis(plan.columns, whole.columns[columns])
    assert plan.lr_size == lr_size


@given(data=st.data(), lr=lr_sizes, hr=hr_sizes, neighbour_mode=neighbour_modes)
def test_an_axis_spans_exactly_its_neighbours(data, lr, hr, neighbour_mode):
    axis = grid_axis(lr, hr, 0, hr, neighbour_mode)[data.draw(spans(hr))]
    first, last = axis.span()
    seen = np.concatenate([axis.indices.ravel(), axis.pair_indices.ravel()])
    assert (first, last - 1) == (seen.min(), seen.max())
