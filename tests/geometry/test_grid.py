import numpy as np
import pytest
from axes import hr_sizes, lr_sizes, neighbour_modes
from hypothesis import given

from tfsr.errors import InvalidArgument
from tfsr.geometry import grid_axis, grid_plan, pixel_centres


@given(lr=lr_sizes, hr=hr_sizes, neighbour_mode=neighbour_modes)
def test_an_axis_is_well_formed(lr, hr, neighbour_mode):
    axis = grid_axis(lr, hr, 0, hr, neighbour_mode)
    neighbours = 2 if neighbour_mode == "ensemble" else 1
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
    if neighbour_mode == "corner":
        exact = 2 * k * lr / hr - 2 * axis.indices.T
    else:
        exact = (2 * k + 1) * lr / hr - (2 * axis.indices.T + 1)
    np.testing.assert_allclose(axis.offsets, exact.T, atol=1e-5)


def test_the_worked_example_of_the_arasfsr_supplement_on_a_grid():
    plan = grid_plan((2, 2), (4, 4))
    row, column = 3, 2
    assert (plan.rows.coordinates[row], plan.columns.coordinates[column]) == (0.75, 0.25)
    i, j = 1, 1  # both axes' second neighbour is the centre at 0.5
    assert (plan.rows.neighbours[row, i], plan.columns.neighbours[column, j]) == (0.5, 0.5)
    assert (plan.rows.offsets[row, i], plan.columns.offsets[column, j]) == (0.5, -0.5)


@pytest.mark.parametrize(
    ("lr_size", "size"), [((0, 5), (8, 8)), ((5, 5), (8, 0)), ((5, 5), (-1, 8))]
)
def test_a_plan_refuses_an_empty_image(lr_size, size):
    with pytest.raises(InvalidArgument, match="at least 1x1"):
        grid_plan(lr_size, size)


@pytest.mark.parametrize(
    "window", [(-1, 0, 4, 4), (0, -1, 4, 4), (0, 0, 0, 4), (0, 0, 4, 0), (5, 0, 4, 4), (0, 7, 4, 4)]
)
def test_a_plan_refuses_a_window_outside_the_output(window):
    with pytest.raises(InvalidArgument, match="must lie inside the output"):
        grid_plan((4, 5), (8, 10), window=window)
