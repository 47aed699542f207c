import math
from types import SimpleNamespace

import numpy as np
import pytest
from axes import assert_shifted, neighbour_modes
from hypothesis import given
from hypothesis import strategies as st

from tfsr.errors import InvalidArgument
from tfsr.geometry import grid_axis, grid_plan, make_tiles


def reach_of(neighbour_mode, halo):
    """The reach of what looks `halo` LR pixels around the neighbours that a lookup finds."""

    def input_span(lr, hr, start, stop):
        first, last = grid_axis(lr, hr, start, stop, neighbour_mode).span()
        return max(0, first - halo), min(lr, last + halo)

    return input_span


@st.composite
def divisions(draw):
    """An output divided into windows, and what it was divided by."""
    lr_size, size = (draw(st.tuples(st.integers(1, 40), st.integers(1, 40))) for _ in range(2))
    neighbour_mode = draw(neighbour_modes)
    input_span = reach_of(neighbour_mode, draw(st.integers(0, 5)))
    pixels = (
        [input_span(lr, hr, k, k + 1) for k in range(hr)]
        for lr, hr in zip(lr_size, size, strict=True)
    )
    enough = math.prod(max(last - first for first, last in axis) for axis in pixels)
    room = draw(st.integers(enough, 40**2 + 1))
    return SimpleNamespace(
        lr_size=lr_size,
        size=size,
        neighbour_mode=neighbour_mode,
        input_span=input_span,
        room=room,
        make_tiles=make_tiles(lr_size, size, input_span, room),
    )


@given(division=divisions())
def test_windows_cover_the_output_exactly_once(division):
    drawn = np.zeros(division.size, int)
    for window in division.make_tiles:
        drawn[slice(*window.rows), slice(*window.columns)] += 1
    assert (drawn == 1).all()


@given(division=divisions())
def test_windows_hold_what_they_are_drawn_from(division):
    lr_size, size = division.lr_size, division.size
    for window in division.make_tiles:
        assert (window.lr_size, window.size) == (lr_size, size)
        for lr, hr, span, lr_span in window.axes:
            first, last = division.input_span(lr, hr, *span)
            assert 0 <= lr_span[0] <= first and last <= lr_span[1] <= lr


@given(division=divisions())
def test_windows_are_within_the_limit_and_one_if_that_is_enough(division):
    for window in division.make_tiles:
        (top, bottom), (left, right) = window.lr_rows, window.lr_columns
        assert (bottom - top) * (right - left) <= division.room
    whole = [
        division.input_span(lr, hr, 0, hr)
        for lr, hr in zip(division.lr_size, division.size, strict=True)
    ]
    fits = math.prod(last - first for first, last in whole) <= division.room
    assert (len(division.make_tiles) == 1) == fits


def test_windows_come_row_by_row():
    found = make_tiles((20, 20), (40, 40), reach_of("ensemble", 2), 120)
    places = [(window.rows[0], window.columns[0]) for window in found]
    assert len({row for row, _ in places}) > 1 and len({column for _, column in places}) > 1
    assert places == sorted(places)


@given(division=divisions())
def test_a_windows_own_plan_is_a_part_of_the_whole_plan(division):
    whole = grid_plan(division.lr_size, division.size, neighbour_mode=division.neighbour_mode)
    for window in division.make_tiles[:9]:
        plan = window.plan(division.neighbour_mode)
        (top, bottom), (left, right) = window.lr_rows, window.lr_columns
        assert plan.lr_size == (bottom - top, right - left)
        for axis, lr in zip((plan.rows, plan.columns), plan.lr_size, strict=True):
            assert axis.span()[1] <= lr
        assert_shifted(plan.rows, whole.rows[slice(*window.rows)], top)
        assert_shifted(plan.columns, whole.columns[slice(*window.columns)], left)


def test_windows_that_cannot_be_small_enough_are_refused():
    arguments = (20, 20), (40, 40), reach_of("ensemble", 2)
    assert make_tiles(*arguments, 36)
    with pytest.raises(InvalidArgument, match="from 6x6 pixels.*room for 35") as caught:
        make_tiles(*arguments, 35)
    assert "\n" not in str(caught.value)


def test_impossible_windows_are_refused_at_once():
    calls = 0

    def input_span(lr, hr, start, stop):
        nonlocal calls
        calls += 1
        assert calls < 100_000
        return max(0, start // 2 - 20), min(lr, stop // 2 + 20)

    with pytest.raises(InvalidArgument):
        make_tiles((3000, 4000), (6000, 8000), input_span, 30**2)


def test_windows_of_larger_images_are_more_not_larger():
    def largest(side):
        found = make_tiles((side, side), (4 * side, 4 * side), reach_of("ensemble", 20), 300**2)
        return max(math.prod(b - a for a, b in (w.lr_rows, w.lr_columns)) for w in found)

    assert largest(310) == largest(900) == largest(1700) > 0.98 * 300**2


@given(division=divisions())
def test_all_windows_but_the_last_are_drawn_from_as_many_lr_pixels(division):
    for axis in (0, 1):
        lengths = {}
        for window in division.make_tiles:
            _, hr, (_, stop), (first, last) = window.axes[axis]
            lengths.setdefault(stop == hr, set()).add(last - first)
        assert len(lengths.get(False, ())) <= 1
        assert max(lengths[True]) <= max(lengths.get(False, lengths[True]))
