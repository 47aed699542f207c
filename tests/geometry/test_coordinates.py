import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsr.errors import InvalidArgument
from tfsr.geometry import cell_size, output_size, pixel_centres


@given(n=st.integers(1, 5000))
def test_pixel_centres_are_the_published_ones_bit_for_bit(n):
    expected = np.float32(-1 + 1 / n) + np.float32(2 / n) * np.arange(n, dtype=np.float32)
    assert pixel_centres(n).dtype == np.float32
    np.testing.assert_array_equal(pixel_centres(n), expected)


def test_cell_size_is_the_distance_between_centres():
    assert cell_size(8) == 0.25
    np.testing.assert_allclose(np.diff(pixel_centres(37)), cell_size(37), rtol=1e-5)


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
