import math
from types import SimpleNamespace

import numpy as np
import pytest
from axes import assert_shifted, neighbour_modes
from hypothesis import given
from hypothesis import strategies as st

from tfsr.errors import InvalidArgument
from tfsr.geometry import (
    DIHEDRAL_TRANSFORMS,
    MIRROR_TRANSFORMS,
    Tile,
    grid_axis,
    grid_plan,
    make_tiles,
)


def span_function(neighbour_mode, halo):
    """An input span of `halo` LR pixels around the neighbours."""

    def input_span(lr, hr, start, stop):
        first, last = grid_axis(lr, hr, start, stop, neighbour_mode).span()
        return max(0, first - halo), min(lr, last + halo)

    return input_span


@st.composite
def divisions(draw):
    """An output split into tiles, and the arguments of the split."""
    lr_size, size = (draw(st.tuples(st.integers(1, 40), st.integers(1, 40))) for _ in range(2))
    neighbour_mode = draw(neighbour_modes)
    input_span = span_function(neighbour_mode, draw(st.integers(0, 5)))
    pixels = (
        [input_span(lr, hr, k, k + 1) for k in range(hr)]
        for lr, hr in zip(lr_size, size, strict=True)
    )
    enough = math.prod(max(last - first for first, last in axis) for axis in pixels)
    limit = draw(st.integers(enough, 40**2 + 1))
    return SimpleNamespace(
        lr_size=lr_size,
        size=size,
        neighbour_mode=neighbour_mode,
        input_span=input_span,
        limit=limit,
        tiles=make_tiles(lr_size, size, input_span, limit),
    )


@given(division=divisions())
def test_tiles_cover_the_output_once_from_crops_that_hold_their_input_span(division):
    lr_size, size, limit = division.lr_size, division.size, division.limit
    covered = np.zeros(size, int)
    for tile in division.tiles:
        assert (tile.lr_size, tile.size) == (lr_size, size)
        covered[slice(*tile.rows), slice(*tile.columns)] += 1
        for lr, hr, span, lr_span in tile.axes:
            first, last = division.input_span(lr, hr, *span)
            assert 0 <= lr_span[0] <= first and last <= lr_span[1] <= lr
        (top, bottom), (left, right) = tile.lr_rows, tile.lr_columns
        assert (bottom - top) * (right - left) <= limit
    assert (covered == 1).all()
    whole = [division.input_span(lr, hr, 0, hr) for lr, hr in zip(lr_size, size, strict=True)]
    fits = math.prod(last - first for first, last in whole) <= limit
    assert (len(division.tiles) == 1) == fits
    # On each axis all tiles but the last need equally many LR pixels.
    for axis in (0, 1):
        lengths = {}
        for tile in division.tiles:
            _, hr, (_, stop), (first, last) = tile.axes[axis]
            lengths.setdefault(stop == hr, set()).add(last - first)
        assert len(lengths.get(False, ())) <= 1
        assert max(lengths[True]) <= max(lengths.get(False, lengths[True]))


def test_tiles_come_row_by_row():
    found = make_tiles((20, 20), (40, 40), span_function("ensemble", 2), 120)
    places = [(tile.rows[0], tile.columns[0]) for tile in found]
    assert len({row for row, _ in places}) > 1 and len({column for _, column in places}) > 1
    assert places == sorted(places)


@given(division=divisions())
def test_the_plan_of_a_tile_is_a_part_of_the_whole_plan(division):
    whole = grid_plan(division.lr_size, division.size, neighbour_mode=division.neighbour_mode)
    for tile in division.tiles[:6]:
        plan = tile.plan(division.neighbour_mode)
        (top, bottom), (left, right) = tile.lr_rows, tile.lr_columns
        assert plan.lr_size == (bottom - top, right - left)
        for axis, lr in zip((plan.rows, plan.columns), plan.lr_size, strict=True):
            assert axis.span()[1] <= lr
        assert_shifted(plan.rows, whole.rows[slice(*tile.rows)], top)
        assert_shifted(plan.columns, whole.columns[slice(*tile.columns)], left)


def test_tiles_that_cannot_fit_are_refused():
    arguments = (20, 20), (40, 40), span_function("ensemble", 2)
    assert make_tiles(*arguments, 36)
    with pytest.raises(InvalidArgument, match="needs 6x6 LR pixels; the limit is 35") as caught:
        make_tiles(*arguments, 35)
    assert "\n" not in str(caught.value)


def test_impossible_tiles_are_refused_at_once():
    calls = 0

    def input_span(lr, hr, start, stop):
        nonlocal calls
        calls += 1
        assert calls < 100_000
        return max(0, start // 2 - 20), min(lr, stop // 2 + 20)

    with pytest.raises(InvalidArgument):
        make_tiles((3000, 4000), (6000, 8000), input_span, 30**2)


def test_tiles_of_larger_images_are_more_not_larger():
    def largest(side):
        found = make_tiles(
            (side, side), (4 * side, 4 * side), span_function("ensemble", 20), 300**2
        )
        return max(math.prod(b - a for a, b in (w.lr_rows, w.lr_columns)) for w in found)

    assert largest(310) == largest(900) == largest(1700) > 0.98 * 300**2


# Different on both axes, so that nothing can be mistaken for something else.
TILE = Tile((10, 14), (30, 70), (3, 11), (20, 45), (1, 7), (3, 12))
every_symmetry = pytest.mark.parametrize("symmetry", DIHEDRAL_TRANSFORMS, ids=str)


def numbered(size):
    """An image of which no two pixels are the same, (1, H, W, 1)."""
    return np.arange(size[0] * size[1]).reshape(1, *size, 1)


def test_there_are_eight_flips_and_turns():
    image = numbered((3, 3))
    assert len({symmetry.apply(image).tobytes() for symmetry in DIHEDRAL_TRANSFORMS}) == 8
    quarter_turn = np.rot90(image, axes=(1, 2)).tobytes()
    assert quarter_turn in {symmetry.apply(image).tobytes() for symmetry in DIHEDRAL_TRANSFORMS}


def test_two_of_them_leave_the_rows_in_order():
    image = numbered((2, 3))
    whole, mirrored = (symmetry.apply(image)[0, ..., 0].tolist() for symmetry in MIRROR_TRANSFORMS)
    assert whole == [[0, 1, 2], [3, 4, 5]]
    assert mirrored == [[2, 1, 0], [5, 4, 3]]


@every_symmetry
def test_a_tile_of_the_turned_image_shows_the_same_pixels(symmetry):
    turned = symmetry.apply_to_tile(TILE)
    for size, rows, columns in (("size", "rows", "columns"), ("lr_size", "lr_rows", "lr_columns")):
        image = numbered(getattr(TILE, size))
        seen = image[:, slice(*getattr(TILE, rows)), slice(*getattr(TILE, columns))]
        there = symmetry.apply(image)
        assert there.shape[1:3] == getattr(turned, size)
        found = there[:, slice(*getattr(turned, rows)), slice(*getattr(turned, columns))]
        np.testing.assert_array_equal(found, symmetry.apply(seen))


@every_symmetry
def test_writing_to_the_turned_view_writes_to_the_image(symmetry):
    image = np.zeros((1, 3, 4, 2))
    symmetry.apply(image)[...] = 1
    assert (image == 1).all()
