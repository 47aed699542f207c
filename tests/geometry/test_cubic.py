import numpy as np
from axes import spans
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfsr.geometry import cubic_axis, cubic_span, cubic_taps

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
    first, last = cubic_span(lr, hr, span.start, span.stop)
    part = cubic_axis(lr, hr, span.start, span.stop, first, last)
    whole = cubic_axis(lr, hr, 0, hr)[span]
    np.testing.assert_allclose(part, whole[:, first:last], atol=1e-7)


@given(data=st.data(), lr=cubic_sizes, hr=cubic_sizes)
def test_bicubic_reaches_as_far_as_its_weights(data, lr, hr):
    span = data.draw(spans(hr))
    first, last = cubic_span(lr, hr, span.start, span.stop)
    (used,) = np.nonzero(np.any(cubic_axis(lr, hr, 0, hr)[span] != 0, axis=0))
    assert 0 <= first <= used.min() and used.max() < last <= lr
    # Where a pixel lies on a pixel the kernel is 0 on all others, two on each side.
    assert used.min() - first <= 2 and last - 1 - used.max() <= 2


def test_interpolation_anywhere_has_the_weights_of_resizing():
    lr, hr = 12, 31
    positions = (np.arange(hr) + 0.5) * (lr / hr) - 0.5
    indices, weights = cubic_taps(positions, lr)
    dense = np.zeros((hr, lr), np.float32)
    for i in range(4):
        np.add.at(dense, (np.arange(hr), indices[:, i]), weights[:, i])
    # At its edges resizing leaves out what is outside; interpolation repeats the edge.
    inside = (positions >= 1) & (positions <= lr - 2)
    np.testing.assert_allclose(dense[inside], cubic_axis(lr, hr, 0, hr)[inside], atol=1e-6)


def test_interpolation_repeats_the_edges():
    indices, weights = cubic_taps(np.float64([-7, -0.25, 4, 4.25, 30]), 5)
    values = (np.arange(5.0)[indices] * weights).sum(axis=-1)
    assert (values[0], values[2], values[4]) == (0, 4, 4)
    assert -0.1 < values[1] < 0.1 and 3.9 < values[3] < 4.1
