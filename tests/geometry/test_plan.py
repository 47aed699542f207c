from dataclasses import replace

import numpy as np
import pytest
from axes import (
    ONE_PIXEL,
    assert_same_axis,
    hr_sizes,
    lr_sizes,
    neighbour_modes,
    spans,
    spread,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tfsr.geometry import Tile, grid_axis, grid_plan


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


@st.composite
def integer_scale_plans(draw, largest=8):
    """A plan of integer scales, or of a tile of one over the LR pixels that it needs."""
    lr_size = draw(st.tuples(lr_sizes, lr_sizes))
    scales = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    size = tuple(lr * scale for lr, scale in zip(lr_size, scales, strict=True))
    neighbour_mode = draw(neighbour_modes)
    plan = grid_plan(lr_size, size, neighbour_mode=neighbour_mode)
    if draw(st.booleans()):
        rows, columns = (draw(spans(n)) for n in size)
        lr_spans = plan.rows[rows].span(), plan.columns[columns].span()
        spans_of = (rows.start, rows.stop), (columns.start, columns.stop)
        plan = Tile(lr_size, size, *spans_of, *lr_spans).plan(neighbour_mode)
    return plan


def by_axis(plan):
    """(axis, phases, LR pixels) of a plan's rows and of its columns."""
    return zip((plan.rows, plan.columns), plan.phases(), plan.lr_size, strict=True)


def runs(starts, length, lr):
    """The LR pixels of the runs that begin at `starts`, (length, k), what lies outside clamped."""
    return np.clip(np.arange(length)[:, None] + starts, 0, lr - 1)


@given(plan=integer_scale_plans())
def test_the_neighbours_of_a_phase_are_runs(plan):
    for _, phases, lr in by_axis(plan):
        for phase in phases:
            length = len(phase.axis)
            for starts, indices in (
                (phase.starts, phase.axis.indices),
                (phase.pair_starts, phase.axis.pair_indices),
            ):
                np.testing.assert_array_equal(runs(starts, length, lr), indices)
                # Padding of one pixel around the image holds them.
                assert starts.min() >= -1 and starts.max() + length <= lr + 1


@given(plan=integer_scale_plans())
def test_interleaved_phases_are_the_whole_axis(plan):
    for (axis, phases, lr), scale in zip(by_axis(plan), plan.integer_scales(), strict=True):
        assert len(phases) == min(scale, len(axis))
        for i, phase in enumerate(phases):
            rows, k = axis[i::scale], phase.axis.indices.shape[-1]
            for field in ("coordinates", "cells", "pair_indices", "pair_weights"):
                found, expected = getattr(phase.axis, field), getattr(rows, field)
                np.testing.assert_array_equal(found, expected, err_msg=field)
            for field in ("indices", "offsets", "neighbours"):
                found, expected = getattr(phase.axis, field), getattr(rows, field)
                np.testing.assert_array_equal(found, expected[:, :k], err_msg=field)
            weights = spread(phase.axis.indices, phase.axis.weights, lr)
            # A neighbour left out has weight 0 but for rounding.
            tolerance = 0 if k == rows.indices.shape[-1] else 1e-4
            expected = spread(rows.indices, rows.weights, lr)
            np.testing.assert_allclose(weights, expected, atol=tolerance)


def counts_of_neighbours(plan):
    return [[phase.axis.indices.shape[-1] for phase in phases] for phases in plan.phases()]


def expected_counts(scales):
    """One neighbour at the centres of LR pixels, which odd scales have, and two elsewhere."""
    return [[1 if 2 * i + 1 == scale else 2 for i in range(scale)] for scale in scales]


ODD_SCALES = [(1, 1), (3, 3), (4, 5), (7, 2)]


@pytest.mark.parametrize("scales", [*ODD_SCALES, (2, 4)])
def test_the_neighbour_of_no_weight_is_left_out_of_a_windows_phases(scales):
    size = 12 * scales[0], 9 * scales[1]
    window = 0, 0, size[0] - scales[0], size[1] - scales[1]
    plan = grid_plan((12, 9), size, window=window)
    assert counts_of_neighbours(plan) == expected_counts(scales)


@pytest.mark.parametrize("scales", ODD_SCALES)
def test_the_neighbour_of_no_weight_is_left_out_of_a_whole_images_phases(scales):
    # After the last centre there is no other pixel, but the same one again.
    plan = grid_plan((12, 9), (12 * scales[0], 9 * scales[1]))
    assert counts_of_neighbours(plan) == expected_counts(scales)


@pytest.mark.parametrize("neighbour_mode", ONE_PIXEL)
def test_one_neighbour_is_never_left_out(neighbour_mode):
    counts = counts_of_neighbours(grid_plan((12, 9), (36, 36), neighbour_mode=neighbour_mode))
    assert counts == [[1, 1, 1], [1, 1, 1, 1]]


@given(
    lr=st.tuples(lr_sizes, lr_sizes),
    scale=st.integers(1, 8),
    hr=hr_sizes,
    neighbour_mode=neighbour_modes,
)
def test_there_are_no_phases_unless_both_scales_are_integers(lr, scale, hr, neighbour_mode):
    assume(hr % lr[0])
    fractional = grid_plan(lr, (hr, scale * lr[1]), neighbour_mode=neighbour_mode)
    for plan in (fractional, replace(fractional, rows=fractional.columns, columns=fractional.rows)):
        assert plan.integer_scales() is None
        assert plan.phases() is None


@given(data=st.data(), plan=integer_scale_plans())
def test_some_rows_of_a_phase_are_a_phase(data, plan):
    for _, phases, lr in by_axis(plan):
        phase = data.draw(st.sampled_from(phases))
        span = data.draw(spans(len(phase.axis)))
        part = phase[span]
        assert_same_axis(part.axis, phase.axis[span])
        length = span.stop - span.start
        np.testing.assert_array_equal(runs(part.starts, length, lr), part.axis.indices)
        np.testing.assert_array_equal(runs(part.pair_starts, length, lr), part.axis.pair_indices)


def test_shifting_a_phase_moves_its_runs_of_features_only():
    phase = grid_plan((12, 9), (24, 18)).phases()[0][0]
    moved = phase.shift(5)
    np.testing.assert_array_equal(moved.starts, phase.starts - 5)
    np.testing.assert_array_equal(moved.pair_starts, phase.pair_starts)
    assert_same_axis(moved.axis, phase.axis)
