import numpy as np
import pytest
from axes import (
    NEIGHBOUR_MODES,
    ONE_PIXEL,
    axis_of_points,
    hr_sizes,
    lr_sizes,
    points_axis,
)
from hypothesis import given

from tfsr.geometry import cell_size, grid_axis, pixel_centres, points_plan


def test_the_worked_example_of_the_arasfsr_supplement_as_a_point():
    query = np.float32([[[0.75, 0.25]]])
    plan = points_plan(query, np.full_like(query, 0.5), (2, 2))
    for axis, coordinate, offset in ((plan.rows, 0.75, 0.5), (plan.columns, 0.25, -0.5)):
        assert float(axis.coordinates[0, 0]) == coordinate
        assert float(axis.neighbours[0, 0, 1]) == 0.5
        assert float(axis.offsets[0, 0, 1]) == offset


@given(lr=lr_sizes, hr=hr_sizes)
def test_points_and_grids_interpolate_alike(lr, hr):
    signal = np.random.default_rng(lr * 1000 + hr).random(lr)
    grid, points = grid_axis(lr, hr, 0, hr), axis_of_points(lr, hr)
    for name in ("", "pair_"):
        a, b = (
            (signal[getattr(axis, f"{name}indices")] * getattr(axis, f"{name}weights")).sum(axis=-1)
            for axis in (grid, points)
        )
        np.testing.assert_allclose(a, b, atol=1e-5)
        indices, weights = getattr(points, f"{name}indices"), getattr(points, f"{name}weights")
        assert indices.min() >= 0 and indices.max() < lr
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(points.cells, grid.cells, rtol=1e-6)
    np.testing.assert_array_equal(points.coordinates, grid.coordinates)


@pytest.mark.parametrize("neighbour_mode", ONE_PIXEL)
@pytest.mark.parametrize("lr", [1, 2, 5, 12, 17, 48, 64])
def test_points_and_grids_agree_at_every_size(lr, neighbour_mode):
    # Grids of 1 to 160 rows, concatenated to one set of points.
    sizes = range(1, 161)
    centres = np.concatenate([pixel_centres(n) for n in sizes])
    cells = np.concatenate([np.full(n, cell_size(n), np.float32) for n in sizes])
    points = points_axis(
        *(np.stack([v, v], axis=-1)[None] for v in (centres, cells)), lr, neighbour_mode
    )
    grids = [grid_axis(lr, n, 0, n, neighbour_mode) for n in sizes]
    indices = np.concatenate([grid.indices for grid in grids])
    np.testing.assert_array_equal(points.indices, indices)
    assert (points.weights == 1).all()
    neighbours = np.concatenate([grid.neighbours for grid in grids])
    np.testing.assert_allclose(points.neighbours, neighbours, atol=1e-6)
    offsets = np.concatenate([grid.offsets for grid in grids])
    np.testing.assert_allclose(points.offsets, offsets, atol=2e-5)


@pytest.mark.parametrize("neighbour_mode", ONE_PIXEL)
def test_points_with_any_cell_find_the_pixel_that_contains_them(rng, neighbour_mode):
    # Of a window cut from a larger image, 2 / cell is no integer either.
    lr = 17
    places, cells = (
        rng.uniform(low, high, (1, 500, 2)).astype(np.float32)
        for low, high in ((-0.8, 1), (0.005, 0.3))
    )
    axis = points_axis(places, cells, lr, neighbour_mode)
    held = places[0, :, 0] - (cells[0, :, 0] / 2 if neighbour_mode == "corner" else 0)
    np.testing.assert_array_equal(axis.indices[:, 0], np.floor((held + 1) / 2 * lr))


@pytest.mark.parametrize("neighbour_mode", NEIGHBOUR_MODES)
def test_points_in_a_window_have_the_larger_images_geometry(rng, neighbour_mode):
    whole, top_left, lr_window = (31, 40), (6, 9), (12, 17)
    centre = [-1 + (2 * t + n) / w for t, n, w in zip(top_left, lr_window, whole, strict=True)]
    half = [n / w for n, w in zip(lr_window, whole, strict=True)]
    inside = rng.uniform(-0.8, 0.8, (1, 200, 2)).astype(np.float32)
    cells = rng.uniform(0.01, 0.2, (1, 200, 2)).astype(np.float32)
    window = np.float32([[*centre, *half]])

    part = points_plan(inside, cells, lr_window, neighbour_mode, window)
    same_points = np.float32(centre) + np.float32(half) * inside
    full = points_plan(same_points, cells * np.float32(half), whole, neighbour_mode)
    for axis, whole_axis, first in zip(
        (part.rows, part.columns), (full.rows, full.columns), top_left, strict=True
    ):
        np.testing.assert_array_equal(axis.indices + first, whole_axis.indices)
        for name in ("offsets", "cells", "neighbours", "coordinates", "weights", "pair_weights"):
            a, b = getattr(axis, name), getattr(whole_axis, name)
            np.testing.assert_allclose(a, b, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("neighbour_mode", NEIGHBOUR_MODES)
@pytest.mark.parametrize(
    ("lr", "hr", "first", "window"), [(64, 237, 9, 48), (100, 251, 30, 48), (48, 130, 7, 32)]
)
def test_pixels_of_an_image_in_a_window_find_their_own_lr_pixels(
    lr, hr, first, window, neighbour_mode
):
    # Output pixels with both edges in the window; a centre between two LR pixels has no own one.
    k = np.arange(hr)
    inside = (k * lr >= first * hr) & ((k + 1) * lr <= (first + window) * hr)
    k = k[inside & ((2 * k + 1) * lr % (2 * hr) > 0)]
    centre, half = (2 * first + window) / lr - 1, window / lr
    places = np.float32((pixel_centres(hr)[k] - np.float32(centre)) / np.float32(half))
    cells = np.full_like(places, cell_size(hr) / half)
    points = points_axis(
        *(np.stack([v, v], -1)[None] for v in (places, cells)), window, neighbour_mode
    )
    whole = grid_axis(lr, hr, 0, hr, neighbour_mode)
    held = whole.indices[k] - first
    if neighbour_mode == "ensemble":
        # Beyond the window there is no neighbour.
        held = np.clip(held, 0, window - 1)
    np.testing.assert_array_equal(points.indices, held)
    kept = held == whole.indices[k] - first
    np.testing.assert_allclose(points.offsets[kept], whole.offsets[k][kept], atol=3e-5)
