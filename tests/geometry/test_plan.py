import numpy as np
from axes import assert_cut, assert_same_axis, hr_sizes, lookups, lr_sizes, spans
from hypothesis import given
from hypothesis import strategies as st

from tfsr.geometry import grid_axis, grid_plan


@given(data=st.data(), lr_size=st.tuples(lr_sizes, lr_sizes), size=st.tuples(hr_sizes, hr_sizes))
def test_a_part_of_a_plan_is_the_plan_of_that_window(data, lr_size, size):
    rows, columns = (data.draw(spans(n)) for n in size)
    neighbour_mode = data.draw(lookups)
    part = grid_plan(lr_size, size, neighbour_mode=neighbour_mode).part(rows, columns)
    window = rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
    expected = grid_plan(lr_size, size, window=window, neighbour_mode=neighbour_mode)
    assert_same_axis(part.rows, expected.rows)
    assert_same_axis(part.columns, expected.columns)
    assert part.lr_size == lr_size


@given(data=st.data(), lr=lr_sizes, hr=hr_sizes, neighbour_mode=lookups)
def test_an_axis_spans_just_what_it_looks_at(data, lr, hr, neighbour_mode):
    axis = grid_axis(lr, hr, 0, hr, neighbour_mode)[data.draw(spans(hr))]
    first, last = axis.span()
    seen = np.concatenate([axis.indices.ravel(), axis.pair_indices.ravel()])
    assert (first, last - 1) == (seen.min(), seen.max())


def test_a_cut_moves_indices_and_nothing_else():
    plan = grid_plan((12, 9), (31, 40), window=(15, 20, 10, 12))
    cut = plan.cut(4, 3, 7, 6)
    assert cut.lr_size == (7, 6)
    assert_cut(cut.rows, plan.rows, 4)
    assert_cut(cut.columns, plan.columns, 3)
