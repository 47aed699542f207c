import math
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from checks import grid_points
from hypothesis import assume, given
from hypothesis import strategies as st
from keras import ops
from PIL import Image

from tfsr.errors import InvalidArgument
from tfsr.geometry import (
    Axis,
    Phase,
    cell_size,
    cubic_axis,
    cubic_reach,
    grid_axis,
    grid_plan,
    output_size,
    pixel_centres,
    points_plan,
    windows,
)

lr_sizes = st.integers(1, 40)
hr_sizes = st.integers(1, 160)
LOOKUPS = ["ensemble", "nearest", "nearest-exact", "corner"]
ONE_PIXEL = LOOKUPS[1:]
lookups = st.sampled_from(LOOKUPS)


def axis_of_points(lr, hr, lookup="ensemble"):
    """The row axis of the points plan at the pixel centres of a grid of hr rows, as NumPy."""
    coordinates, cells = grid_points((hr, 1))
    return points_axis(coordinates, cells, lr, lookup)


def points_axis(coordinates, cells, lr, lookup):
    """The row axis of the points plan of one picture of lr rows, as NumPy."""
    rows = points_plan(coordinates, cells, (lr, 1), lookup).rows
    return rows.map(lambda values: ops.convert_to_numpy(values)[0])


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


@given(n=st.integers(1, 5000))
def test_pixel_centres_are_the_published_ones_bit_for_bit(n):
    expected = np.float32(-1 + 1 / n) + np.float32(2 / n) * np.arange(n, dtype=np.float32)
    assert pixel_centres(n).dtype == np.float32
    np.testing.assert_array_equal(pixel_centres(n), expected)


def test_cell_size_is_the_distance_between_centres():
    assert cell_size(8) == 0.25
    np.testing.assert_allclose(np.diff(pixel_centres(37)), cell_size(37), rtol=1e-5)


@given(lr=lr_sizes, hr=hr_sizes, lookup=lookups)
def test_an_axis_is_well_formed(lr, hr, lookup):
    axis = grid_axis(lr, hr, 0, hr, lookup)
    neighbours = 2 if lookup == "ensemble" else 1
    assert len(axis) == hr
    assert axis.indices.shape == axis.weights.shape == axis.offsets.shape == (hr, neighbours)
    for indices, weights in ((axis.indices, axis.weights), (axis.pair_indices, axis.pair_weights)):
        assert indices.dtype == np.int32 and weights.dtype == np.float32
        assert indices.min() >= 0 and indices.max() < lr
        assert weights.min() >= 0
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_array_equal(axis.neighbours, pixel_centres(lr)[axis.indices])
    np.testing.assert_allclose(axis.cells, 2 * lr / hr, rtol=1e-6)
    k = np.arange(hr)
    if lookup == "corner":
        exact = 2 * k * lr / hr - 2 * axis.indices.T
    else:
        exact = (2 * k + 1) * lr / hr - (2 * axis.indices.T + 1)
    np.testing.assert_allclose(axis.offsets, exact.T, atol=1e-5)


@given(lr=lr_sizes, hr=hr_sizes, lookup=lookups)
def test_points_are_well_formed_too(lr, hr, lookup):
    axis = axis_of_points(lr, hr, lookup)
    for indices, weights in ((axis.indices, axis.weights), (axis.pair_indices, axis.pair_weights)):
        assert indices.min() >= 0 and indices.max() < lr
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


@given(data=st.data(), lr=lr_sizes, lookup=lookups)
def test_a_windows_plan_is_a_part_of_the_whole_plan(data, lr, lookup):
    size = data.draw(hr_sizes), data.draw(hr_sizes)
    top, left = (data.draw(st.integers(0, n - 1)) for n in size)
    height, width = (
        data.draw(st.integers(1, size[0] - top)),
        data.draw(st.integers(1, size[1] - left)),
    )
    whole = grid_plan((lr, 7), size, lookup=lookup)
    part = grid_plan((lr, 7), size, window=(top, left, height, width), lookup=lookup)
    assert_same_axis(part.rows, whole.rows[top : top + height])
    assert_same_axis(part.columns, whole.columns[left : left + width])


def test_the_worked_example_of_the_arasfsr_supplement_on_a_grid():
    plan = grid_plan((2, 2), (4, 4))
    row, column = 3, 2
    assert (plan.rows.coordinates[row], plan.columns.coordinates[column]) == (0.75, 0.25)
    i, j = 1, 1  # both axes' second neighbour is the centre at 0.5
    assert (plan.rows.neighbours[row, i], plan.columns.neighbours[column, j]) == (0.5, 0.5)
    assert (plan.rows.offsets[row, i], plan.columns.offsets[column, j]) == (0.5, -0.5)


def test_the_worked_example_of_the_arasfsr_supplement_as_a_point():
    query = np.float32([[[0.75, 0.25]]])
    plan = points_plan(query, np.full_like(query, 0.5), (2, 2))
    for axis, coordinate, offset in ((plan.rows, 0.75, 0.5), (plan.columns, 0.25, -0.5)):
        assert float(axis.coordinates[0, 0]) == coordinate
        assert float(axis.neighbours[0, 0, 1]) == 0.5
        assert float(axis.offsets[0, 0, 1]) == offset


@given(lr=st.integers(1, 25), columns_lr=st.integers(1, 25), hr=hr_sizes, columns_hr=hr_sizes)
def test_products_of_weights_are_the_published_area_rule(lr, columns_lr, hr, columns_hr):
    sizes = (lr, hr), (columns_lr, columns_hr)
    (row_pairs, row_distances), (column_pairs, column_distances) = (
        published_neighbours(*size) for size in sizes
    )
    areas = row_distances[:, None, :, None] * column_distances[None, :, None, :]
    total = areas.sum(axis=(-2, -1), keepdims=True)
    settled = total[..., 0, 0] > 1e-3  # elsewhere the rule is 0/0
    # Each neighbour is weighed by the area of the one diagonally opposite.
    expected = areas[..., ::-1, ::-1] / np.where(total > 0, total, 1)

    plan = grid_plan((lr, columns_lr), (hr, columns_hr))
    rows = spread(plan.rows.indices, plan.rows.weights, lr)
    columns = spread(plan.columns.indices, plan.columns.weights, columns_lr)
    dense = np.zeros((hr, columns_hr, lr, columns_lr))
    index = np.ix_(range(hr), range(columns_hr))
    for i in (0, 1):
        for j in (0, 1):
            where = (*index, row_pairs[:, None, i], column_pairs[None, :, j])
            np.add.at(dense, where, expected[..., i, j])
    found = rows[:, None, :, None] * columns[None, :, None, :]
    # Coordinates, and so distances, are float32: 25 LR pixels times their rounding.
    np.testing.assert_allclose(found[settled], dense[settled], atol=5e-6)


@pytest.mark.parametrize(("lr", "hr"), [(64, 237), (48, 173), (61, 100), (33, 97)])
def test_weights_have_the_rounding_of_the_published_float32_areas(lr, hr):
    plan = grid_plan((lr, lr), (hr, hr)).rows
    inner = plan.indices[:, 0] != plan.indices[:, 1]
    centres = pixel_centres(lr)[plan.indices]
    areas = np.abs((pixel_centres(hr)[:, None] - centres) * np.float32(lr))
    expected = areas[:, ::-1] / areas.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(plan.weights[inner], expected[inner], atol=2e-7)


def published_neighbours(lr, hr):
    """The two pixels that LIIF's shifted lookups find, and the distances to them, in float64."""
    x = -1 + (2 * np.arange(hr) + 1) / hr
    shifted = np.stack([x - 1 / lr + 1e-6, x + 1 / lr + 1e-6], axis=-1)
    shifted = np.clip(shifted, -1 + 1e-6, 1 - 1e-6)
    indices = np.rint(((shifted + 1) * lr - 1) / 2).astype(int)
    centres = -1 + (2 * indices + 1) / lr
    return indices, np.abs(x[:, None] - centres) * lr


@given(lr=lr_sizes, hr=hr_sizes)
def test_points_and_grids_interpolate_alike(lr, hr):
    signal = np.random.default_rng(lr * 1000 + hr).random(lr)
    grid, points = grid_axis(lr, hr, 0, hr), axis_of_points(lr, hr)
    for indices, weights in (("indices", "weights"), ("pair_indices", "pair_weights")):
        a, b = (
            (signal[getattr(axis, indices)] * getattr(axis, weights)).sum(axis=-1)
            for axis in (grid, points)
        )
        np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(points.cells, grid.cells, rtol=1e-6)
    np.testing.assert_array_equal(points.coordinates, grid.coordinates)


@given(lr=lr_sizes, hr=hr_sizes, lookup=st.sampled_from(ONE_PIXEL))
def test_points_and_grids_find_the_same_single_pixel(lr, hr, lookup):
    grid, points = grid_axis(lr, hr, 0, hr, lookup), axis_of_points(lr, hr, lookup)
    np.testing.assert_array_equal(points.indices, grid.indices)
    np.testing.assert_array_equal(points.weights, grid.weights)
    np.testing.assert_allclose(points.offsets, grid.offsets, atol=1e-5)
    np.testing.assert_allclose(points.neighbours, grid.neighbours, atol=1e-6)


@pytest.mark.parametrize(("lr", "hr"), [(12, 30), (12, 9), (17, 40), (48, 131), (5, 5), (1, 7)])
def test_the_nearest_pixel_is_the_published_float32_formula(lr, hr):
    x = pixel_centres(hr)
    expected = np.rint(((x + np.float32(1)) * np.float32(lr) - np.float32(1)) / np.float32(2))
    for axis in (grid_axis(lr, hr, 0, hr, "nearest"), axis_of_points(lr, hr, "nearest")):
        np.testing.assert_array_equal(axis.indices[:, 0], expected)


@pytest.mark.parametrize(("lr", "hr"), [(12, 30), (12, 9)])
def test_queries_between_two_pixels_are_among_the_tested_ones(lr, hr):
    halfway = ((2 * np.arange(hr) + 1) * lr) % (2 * hr) == 0
    assert halfway.any()
    offsets = grid_axis(lr, hr, 0, hr, "nearest").offsets[:, 0]
    np.testing.assert_allclose(np.abs(offsets[halfway]), 1, atol=1e-5)


SIZE_PAIRS = [(64, 237), (12, 30), (12, 9), (17, 40), (48, 131), (5, 5), (1, 7), (7, 1), (40, 3)]
size_pairs = pytest.mark.parametrize(("lr", "hr"), SIZE_PAIRS)


def nearest_exact(lr, hr):
    """PyTorch's index in its "nearest-exact" resize, in its float32 arithmetic."""
    position = (np.arange(hr) + 0.5).astype(np.float32) * np.float32(lr / hr)
    return np.minimum(np.floor(position), lr - 1)


@given(lr=st.integers(1, 300), hr=st.integers(1, 1000))
def test_the_nearest_exact_pixel_is_the_published_float32_formula(lr, hr):
    indices = grid_axis(lr, hr, 0, hr, "nearest-exact").indices[:, 0]
    np.testing.assert_array_equal(indices, nearest_exact(lr, hr))


def test_nearest_exact_ties_fall_as_in_float32():
    # Row 118 of 237 has its centre on the border between LR rows 31 and 32.
    k, rounded = np.arange(237), nearest_exact(64, 237)
    np.testing.assert_array_equal(np.flatnonzero((2 * k + 1) * 64 // (2 * 237) != rounded), [118])
    points = axis_of_points(64, 237, "nearest-exact")
    for axis in (grid_axis(64, 237, 0, 237, "nearest-exact"), points):
        np.testing.assert_array_equal(axis.indices[:, 0], rounded)


@pytest.mark.parametrize("lookup", ONE_PIXEL)
@pytest.mark.parametrize("lr", [1, 2, 5, 12, 17, 48, 64])
def test_points_and_grids_agree_at_every_size(lr, lookup):
    # Grids of 1 to 200 rows, one after the other as one set of points.
    sizes = range(1, 201)
    centres = np.concatenate([pixel_centres(n) for n in sizes])
    cells = np.concatenate([np.full(n, cell_size(n), np.float32) for n in sizes])
    points = points_axis(*(np.stack([v, v], axis=-1)[None] for v in (centres, cells)), lr, lookup)
    grids = [grid_axis(lr, n, 0, n, lookup) for n in sizes]
    indices = np.concatenate([grid.indices for grid in grids])
    np.testing.assert_array_equal(points.indices, indices)
    offsets = np.concatenate([grid.offsets for grid in grids])
    np.testing.assert_allclose(points.offsets, offsets, atol=2e-5)


@given(lr=lr_sizes, hr=hr_sizes)
def test_the_corner_lookup_finds_the_pixel_with_the_top_left_corner(lr, hr):
    axis = grid_axis(lr, hr, 0, hr, "corner")
    np.testing.assert_array_equal(axis.indices[:, 0], np.arange(hr) * lr // hr)
    # From that pixel's own corner, one LR pixel being 2.
    assert axis.offsets.min() >= -1e-5
    assert axis.offsets.max() < 2 + 1e-5


@size_pairs
def test_the_corner_lookup_is_the_published_float32_formula(lr, hr):
    half, nudge = np.float32(cell_size(hr)) / np.float32(2), np.float32(1e-6)
    low, high = np.float32(-1 + 1e-6), np.float32(1 - 1e-6)
    corner = pixel_centres(hr) - half
    x = np.clip(corner + nudge, low, high)
    expected = np.rint(((x + np.float32(1)) * np.float32(lr) - np.float32(1)) / np.float32(2))
    corners = pixel_centres(lr) - np.float32(1 / lr)
    offsets = (corner - corners[expected.astype(int)]) * np.float32(lr)
    for axis in (grid_axis(lr, hr, 0, hr, "corner"), axis_of_points(lr, hr, "corner")):
        np.testing.assert_array_equal(axis.indices[:, 0], expected)
        np.testing.assert_allclose(axis.offsets[:, 0], offsets, atol=1e-5)


@size_pairs
@pytest.mark.parametrize("lookup", ["ensemble", "nearest", "nearest-exact"])
def test_offsets_of_a_grid_are_the_published_float32_formula(lr, hr, lookup):
    axis = grid_axis(lr, hr, 0, hr, lookup)
    expected = (pixel_centres(hr)[:, None] - pixel_centres(lr)[axis.indices]) * np.float32(lr)
    assert axis.offsets.dtype == np.float32
    np.testing.assert_array_equal(axis.offsets, expected)


@pytest.mark.parametrize("lookup", ONE_PIXEL)
def test_points_with_any_cell_are_answered_by_the_pixel_that_holds_them(rng, lookup):
    # Of a window cut from a larger picture, 2 / cell is no whole number either.
    lr = 17
    places, cells = (
        rng.uniform(low, high, (1, 500, 2)).astype(np.float32)
        for low, high in ((-0.8, 1), (0.005, 0.3))
    )
    axis = points_axis(places, cells, lr, lookup)
    held = places[0, :, 0] - (cells[0, :, 0] / 2 if lookup == "corner" else 0)
    np.testing.assert_array_equal(axis.indices[:, 0], np.floor((held + 1) / 2 * lr))


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_points_in_a_window_keep_the_larger_pictures_geometry(rng, lookup):
    whole, top_left, lr_window = (31, 40), (6, 9), (12, 17)
    centre = [-1 + (2 * t + n) / w for t, n, w in zip(top_left, lr_window, whole, strict=True)]
    half = [n / w for n, w in zip(lr_window, whole, strict=True)]
    inside = rng.uniform(-0.8, 0.8, (1, 200, 2)).astype(np.float32)
    cells = rng.uniform(0.01, 0.2, (1, 200, 2)).astype(np.float32)
    window = np.float32([[*centre, *half]])

    part = points_plan(inside, cells, lr_window, lookup, window)
    same_points = np.float32(centre) + np.float32(half) * inside
    full = points_plan(same_points, cells * np.float32(half), whole, lookup)
    for axis, whole_axis, first in zip(
        (part.rows, part.columns), (full.rows, full.columns), top_left, strict=True
    ):
        np.testing.assert_array_equal(axis.indices + first, whole_axis.indices)
        for name in ("offsets", "cells", "neighbours", "coordinates", "weights", "pair_weights"):
            a, b = getattr(axis, name), getattr(whole_axis, name)
            np.testing.assert_allclose(a, b, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize(
    ("lr", "hr", "first", "window"), [(64, 237, 9, 48), (100, 251, 30, 48), (48, 130, 7, 32)]
)
def test_a_pictures_pixels_seen_from_a_window_find_their_own_lr_pixels(
    lr, hr, first, window, lookup
):
    # Output pixels with both edges in the window; a centre between two LR pixels has no own one.
    k = np.arange(hr)
    inside = (k * lr >= first * hr) & ((k + 1) * lr <= (first + window) * hr)
    k = k[inside & ((2 * k + 1) * lr % (2 * hr) > 0)]
    centre, half = (2 * first + window) / lr - 1, window / lr
    places = np.float32((pixel_centres(hr)[k] - np.float32(centre)) / np.float32(half))
    cells = np.full_like(places, cell_size(hr) / half)
    points = points_axis(*(np.stack([v, v], -1)[None] for v in (places, cells)), window, lookup)
    whole = grid_axis(lr, hr, 0, hr, lookup)
    held = whole.indices[k] - first
    if lookup == "ensemble":
        # Beyond the window there is no neighbour.
        held = np.clip(held, 0, window - 1)
    np.testing.assert_array_equal(points.indices, held)
    kept = held == whole.indices[k] - first
    np.testing.assert_allclose(points.offsets[kept], whole.offsets[k][kept], atol=3e-5)


@pytest.mark.parametrize(("lr", "scale"), [(12, 3), (17, 3), (4, 5), (6, 1), (2, 7)])
def test_the_last_row_of_an_odd_scale_is_one_pixel_halved(lr, scale):
    axis = grid_axis(lr, lr * scale, 0, lr * scale)
    row = scale * (lr - 1) + (scale - 1) // 2
    np.testing.assert_array_equal(axis.indices[row], [lr - 1, lr - 1])
    np.testing.assert_array_equal(axis.weights[row], [0.5, 0.5])
    # Differences of float32 coordinates, as published.
    np.testing.assert_allclose(axis.offsets[row], [0, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("lr_size", "scale", "expected"),
    [
        ((12, 17), 2, (24, 34)),
        ((12, 17), 3.7, (44, 63)),
        ((10, 13), 2.5, (25, 33)),  # 32.5 is rounded up
        ((12, 17), 0.75, (9, 13)),
        ((3, 1), 0.01, (1, 1)),
    ],
)
def test_output_size_rounds_to_the_nearest_pixel(lr_size, scale, expected):
    assert output_size(lr_size, scale) == expected


@pytest.mark.parametrize("scale", [0, -2, float("nan"), float("inf")])
def test_output_size_refuses_a_scale_that_makes_no_sense(scale):
    with pytest.raises(InvalidArgument, match="scale must be a finite number above 0"):
        output_size((12, 17), scale)


@pytest.mark.parametrize(
    ("lr_size", "size"), [((0, 5), (8, 8)), ((5, 5), (8, 0)), ((5, 5), (-1, 8))]
)
def test_a_plan_refuses_an_empty_picture(lr_size, size):
    with pytest.raises(InvalidArgument, match="at least 1x1"):
        grid_plan(lr_size, size)


@pytest.mark.parametrize(
    "window", [(-1, 0, 4, 4), (0, -1, 4, 4), (0, 0, 0, 4), (0, 0, 4, 0), (5, 0, 4, 4), (0, 7, 4, 4)]
)
def test_a_plan_refuses_a_window_outside_the_output(window):
    with pytest.raises(InvalidArgument, match="must lie inside the output"):
        grid_plan((4, 5), (8, 10), window=window)


# Phases of whole scales.


@st.composite
def whole_scale_plans(draw, largest=8):
    """A plan of whole scales, or of a window of one over the LR pixels that it looks at."""
    lr_size = draw(st.tuples(lr_sizes, lr_sizes))
    scales = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    size = [lr * scale for lr, scale in zip(lr_size, scales, strict=True)]
    plan = grid_plan(lr_size, size, lookup=draw(lookups))
    if draw(st.booleans()):
        plan = plan.part(*(draw(spans(n)) for n in size))
        (top, bottom), (left, right) = plan.rows.span(), plan.columns.span()
        plan = plan.cut(top, left, bottom - top, right - left)
    return plan


@st.composite
def spans(draw, length):
    """Some of so many rows: a slice, not empty."""
    start = draw(st.integers(0, length - 1))
    return slice(start, draw(st.integers(start + 1, length)))


def by_axis(plan):
    """(axis, phases, LR pixels) of a plan's rows and of its columns."""
    return zip((plan.rows, plan.columns), plan.phases(), plan.lr_size, strict=True)


def runs(starts, length, lr):
    """The LR pixels of the runs that begin at `starts`, (length, k), what lies outside clamped."""
    return np.clip(np.arange(length)[:, None] + starts, 0, lr - 1)


@given(plan=whole_scale_plans())
def test_the_neighbours_of_a_phase_are_runs(plan):
    for _, phases, lr in by_axis(plan):
        for phase in phases:
            length = len(phase.axis)
            for starts, indices in (
                (phase.starts, phase.axis.indices),
                (phase.pair_starts, phase.axis.pair_indices),
            ):
                np.testing.assert_array_equal(runs(starts, length, lr), indices)
                # A frame of one pixel around the picture holds them.
                assert starts.min() >= -1 and starts.max() + length <= lr + 1


@given(plan=whole_scale_plans())
def test_phases_interleaved_are_the_whole_axis(plan):
    for (axis, phases, lr), scale in zip(by_axis(plan), plan.whole_scales(), strict=True):
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
            # What is left out has no weight but for rounding.
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
def test_the_neighbour_of_no_weight_is_left_out_of_a_whole_pictures_phases(scales):
    # After the last centre there is no other pixel, but the same one again.
    plan = grid_plan((12, 9), (12 * scales[0], 9 * scales[1]))
    assert counts_of_neighbours(plan) == expected_counts(scales)


@pytest.mark.parametrize("lookup", ONE_PIXEL)
def test_one_neighbour_is_never_left_out(lookup):
    counts = counts_of_neighbours(grid_plan((12, 9), (36, 36), lookup=lookup))
    assert counts == [[1, 1, 1], [1, 1, 1, 1]]


@given(lr=st.tuples(lr_sizes, lr_sizes), scale=st.integers(1, 8), hr=hr_sizes, lookup=lookups)
def test_there_are_no_phases_unless_both_scales_are_whole(lr, scale, hr, lookup):
    assume(hr % lr[0])
    fractional = grid_plan(lr, (hr, scale * lr[1]), lookup=lookup)
    for plan in (fractional, replace(fractional, rows=fractional.columns, columns=fractional.rows)):
        assert plan.whole_scales() is None
        assert plan.phases() is None


@given(data=st.data(), plan=whole_scale_plans())
def test_some_rows_of_a_phase_are_a_phase(data, plan):
    for _, phases, lr in by_axis(plan):
        phase = data.draw(st.sampled_from(phases))
        span = data.draw(spans(len(phase.axis)))
        part = phase[span]
        assert_same_axis(part.axis, phase.axis[span])
        length = span.stop - span.start
        np.testing.assert_array_equal(runs(part.starts, length, lr), part.axis.indices)
        np.testing.assert_array_equal(runs(part.pair_starts, length, lr), part.axis.pair_indices)


def test_a_phase_over_a_cut_has_earlier_runs_of_features_and_nothing_else():
    phase = grid_plan((12, 9), (24, 18)).phases()[0][0]
    moved = phase.over_cut(5)
    np.testing.assert_array_equal(moved.starts, phase.starts - 5)
    np.testing.assert_array_equal(moved.pair_starts, phase.pair_starts)
    assert_same_axis(moved.axis, phase.axis)


def test_a_phase_is_made_again_of_its_arrays():
    phase = grid_plan((12, 9), (24, 18)).phases()[0][1]
    copy = Phase.of(phase.arrays())
    assert_same_axis(copy.axis, phase.axis)
    np.testing.assert_array_equal(copy.starts, phase.starts)
    np.testing.assert_array_equal(copy.pair_starts, phase.pair_starts)


# Parts, cuts and windows.


@given(data=st.data(), lr_size=st.tuples(lr_sizes, lr_sizes), size=st.tuples(hr_sizes, hr_sizes))
def test_a_part_of_a_plan_is_the_plan_of_that_window(data, lr_size, size):
    rows, columns = (data.draw(spans(n)) for n in size)
    lookup = data.draw(lookups)
    part = grid_plan(lr_size, size, lookup=lookup).part(rows, columns)
    window = rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
    expected = grid_plan(lr_size, size, window=window, lookup=lookup)
    assert_same_axis(part.rows, expected.rows)
    assert_same_axis(part.columns, expected.columns)
    assert part.lr_size == lr_size


@given(data=st.data(), lr=lr_sizes, hr=hr_sizes, lookup=lookups)
def test_an_axis_spans_just_what_it_looks_at(data, lr, hr, lookup):
    axis = grid_axis(lr, hr, 0, hr, lookup)[data.draw(spans(hr))]
    first, last = axis.span()
    seen = np.concatenate([axis.indices.ravel(), axis.pair_indices.ravel()])
    assert (first, last - 1) == (seen.min(), seen.max())


def assert_cut(found, whole, first):
    """The same axis, its indices counted from the LR pixel `first`."""
    moved = {name: getattr(found, name) + first for name in ("indices", "pair_indices")}
    for name, values in moved.items():
        assert getattr(found, name).min() >= 0
        np.testing.assert_array_equal(values, getattr(whole, name))
    assert_same_axis(replace(found, **moved), whole)


def test_a_cut_moves_indices_and_nothing_else():
    plan = grid_plan((12, 9), (31, 40), window=(15, 20, 10, 12))
    cut = plan.cut(4, 3, 7, 6)
    assert cut.lr_size == (7, 6)
    assert_cut(cut.rows, plan.rows, 4)
    assert_cut(cut.columns, plan.columns, 3)


def reach_of(lookup, halo):
    """The reach of what looks `halo` LR pixels around the neighbours that a lookup finds."""

    def reach(lr, hr, start, stop):
        first, last = grid_axis(lr, hr, start, stop, lookup).span()
        return max(0, first - halo), min(lr, last + halo)

    return reach


@st.composite
def divisions(draw):
    """An answer divided into windows, and what it was divided by."""
    lr_size, size = (draw(st.tuples(st.integers(1, 40), st.integers(1, 40))) for _ in range(2))
    lookup = draw(lookups)
    reach = reach_of(lookup, draw(st.integers(0, 5)))
    pixels = (
        [reach(lr, hr, k, k + 1) for k in range(hr)] for lr, hr in zip(lr_size, size, strict=True)
    )
    enough = math.prod(max(last - first for first, last in axis) for axis in pixels)
    room = draw(st.integers(enough, 40**2 + 1))
    return SimpleNamespace(
        lr_size=lr_size,
        size=size,
        lookup=lookup,
        reach=reach,
        room=room,
        windows=windows(lr_size, size, reach, room),
    )


@given(division=divisions())
def test_windows_cover_the_answer_exactly_once(division):
    drawn = np.zeros(division.size, int)
    for window in division.windows:
        drawn[slice(*window.rows), slice(*window.columns)] += 1
    assert (drawn == 1).all()


@given(division=divisions())
def test_windows_hold_what_they_are_drawn_from(division):
    lr_size, size = division.lr_size, division.size
    for window in division.windows:
        assert (window.lr_size, window.size) == (lr_size, size)
        assert window.lr_rows == division.reach(lr_size[0], size[0], *window.rows)
        assert window.lr_columns == division.reach(lr_size[1], size[1], *window.columns)


@given(division=divisions())
def test_windows_are_within_the_limit_and_one_if_that_is_enough(division):
    for window in division.windows:
        (top, bottom), (left, right) = window.lr_rows, window.lr_columns
        assert (bottom - top) * (right - left) <= division.room
    whole = [
        division.reach(lr, hr, 0, hr)
        for lr, hr in zip(division.lr_size, division.size, strict=True)
    ]
    fits = math.prod(last - first for first, last in whole) <= division.room
    assert (len(division.windows) == 1) == fits


def test_windows_come_row_by_row():
    found = windows((20, 20), (40, 40), reach_of("ensemble", 2), 120)
    places = [(window.rows[0], window.columns[0]) for window in found]
    assert len({row for row, _ in places}) > 1 and len({column for _, column in places}) > 1
    assert places == sorted(places)


@given(division=divisions())
def test_a_windows_own_plan_is_a_part_of_the_whole_plan(division):
    whole = grid_plan(division.lr_size, division.size, lookup=division.lookup)
    for window in division.windows[:9]:
        plan = window.plan(division.lookup)
        (top, bottom), (left, right) = window.lr_rows, window.lr_columns
        assert plan.lr_size == (bottom - top, right - left)
        for axis, lr in zip((plan.rows, plan.columns), plan.lr_size, strict=True):
            assert axis.span()[1] <= lr
        assert_cut(plan.rows, whole.rows[slice(*window.rows)], top)
        assert_cut(plan.columns, whole.columns[slice(*window.columns)], left)


def test_windows_that_cannot_be_small_enough_are_refused():
    arguments = (20, 20), (40, 40), reach_of("ensemble", 2)
    assert windows(*arguments, 36)
    with pytest.raises(InvalidArgument, match="from 6x6 pixels.*room for 35") as caught:
        windows(*arguments, 35)
    assert "\n" not in str(caught.value)


def test_impossible_windows_are_refused_at_once():
    calls = 0

    def reach(lr, hr, start, stop):
        nonlocal calls
        calls += 1
        assert calls < 100_000
        return max(0, start // 2 - 20), min(lr, stop // 2 + 20)

    with pytest.raises(InvalidArgument):
        windows((3000, 4000), (6000, 8000), reach, 30**2)


# Bicubic weights.

cubic_sizes = st.integers(1, 60)


@given(lr=cubic_sizes, hr=cubic_sizes)
def test_bicubic_weights_are_pillows_within_a_level(lr, hr):
    column = np.random.default_rng(61 * lr + hr).integers(0, 256, (lr, 1)).astype(np.uint8)
    expected = np.array(Image.fromarray(column).resize((1, hr), Image.Resampling.BICUBIC))
    found = np.clip(cubic_axis(lr, hr, 0, hr) @ column.astype(np.float32), 0, 255)
    # Half a level is Pillow's own rounding.
    assert np.abs(found - expected).max() < 0.51


@given(lr=cubic_sizes, hr=cubic_sizes)
def test_bicubic_weights_add_up_to_one(lr, hr):
    weights = cubic_axis(lr, hr, 0, hr)
    assert weights.shape == (hr, lr) and weights.dtype == np.float32
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


@given(data=st.data(), lr=cubic_sizes, hr=cubic_sizes)
def test_bicubic_weights_of_a_window_are_a_part_of_all(data, lr, hr):
    span = data.draw(spans(hr))
    first, last = cubic_reach(lr, hr, span.start, span.stop)
    part = cubic_axis(lr, hr, span.start, span.stop, first, last)
    whole = cubic_axis(lr, hr, 0, hr)[span]
    np.testing.assert_allclose(part, whole[:, first:last], atol=1e-7)


@given(data=st.data(), lr=cubic_sizes, hr=cubic_sizes)
def test_bicubic_reaches_as_far_as_its_weights(data, lr, hr):
    span = data.draw(spans(hr))
    first, last = cubic_reach(lr, hr, span.start, span.stop)
    (used,) = np.nonzero(np.any(cubic_axis(lr, hr, 0, hr)[span] != 0, axis=0))
    assert 0 <= first <= used.min() and used.max() < last <= lr
    # Where a pixel lies on a pixel the kernel is 0 on all others, two on each side.
    assert used.min() - first <= 2 and last - 1 - used.max() <= 2
