import numpy as np
from axes import spans
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfsr.geometry import cubic_axis, cubic_reach

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
