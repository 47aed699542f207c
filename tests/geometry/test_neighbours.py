import numpy as np
import pytest
from axes import axis_of_points, hr_sizes, lr_sizes, spread
from hypothesis import given
from hypothesis import strategies as st

from tfsr.geometry import cell_size, grid_axis, grid_plan, pixel_centres


@given(*(st.integers(1, 12) for _ in range(2)), *(st.integers(1, 50) for _ in range(2)))
def test_products_of_weights_are_the_published_area_rule(lr, columns_lr, hr, columns_hr):
    sizes = (lr, hr), (columns_lr, columns_hr)
    (row_pairs, row_distances), (column_pairs, column_distances) = (
        published_neighbours(*size) for size in sizes
    )
    areas = row_distances[:, None, :, None] * column_distances[None, :, None, :]
    total = areas.sum(axis=(-2, -1), keepdims=True)
    defined = total[..., 0, 0] > 1e-3  # elsewhere the rule is 0/0
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
    # Coordinates, and so distances, are float32: 12 LR pixels times their rounding.
    np.testing.assert_allclose(found[defined], dense[defined], atol=5e-6)


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
@pytest.mark.parametrize("neighbour_mode", ["ensemble", "nearest", "nearest-exact"])
def test_offsets_of_a_grid_are_the_published_float32_formula(lr, hr, neighbour_mode):
    axis = grid_axis(lr, hr, 0, hr, neighbour_mode)
    expected = (pixel_centres(hr)[:, None] - pixel_centres(lr)[axis.indices]) * np.float32(lr)
    assert axis.offsets.dtype == np.float32
    np.testing.assert_array_equal(axis.offsets, expected)


@pytest.mark.parametrize(("lr", "scale"), [(12, 3), (17, 3), (4, 5), (6, 1), (2, 7)])
def test_the_last_row_of_an_odd_scale_is_one_pixel_halved(lr, scale):
    axis = grid_axis(lr, lr * scale, 0, lr * scale)
    row = scale * (lr - 1) + (scale - 1) // 2
    np.testing.assert_array_equal(axis.indices[row], [lr - 1, lr - 1])
    np.testing.assert_array_equal(axis.weights[row], [0.5, 0.5])
    # Differences of float32 coordinates, as published.
    np.testing.assert_allclose(axis.offsets[row], [0, 0], atol=1e-5)
