import numpy as np
import pytest
import tensorflow as tf
from checks import check_layer, outputs
from keras import Variable, ops
from numpy.polynomial.legendre import leggauss

from tfsr.errors import InvalidArgument
from tfsr.geometry import pixel_centres
from tfsr.layers import OffsetEncoding, PositionalEncoding

BANDWIDTH = 10
# Radii of half an output pixel, one LR pixel being 2 wide: x16, x4, x3.7, x1 and a reduction.
RADII = [1 / 16, 1 / 4, 1 / 3.7, 1.0, 2.0]
CHANNELS = {"none": 1, "positional": 12, "integrated": 12}


def test_positional_encoding_is_a_layer_and_stays_float32(rng):
    x = rng.uniform(-1, 1, (2, 5, 1)).astype(np.float32)
    arguments = {"bandwidth": 4, "identity": True}
    check_layer(PositionalEncoding, arguments, (x,), (2, 5, 9), mixed_dtype="float32")
    arguments = {"bandwidth": 4, "identity": False}
    check_layer(PositionalEncoding, arguments, (x,), (2, 5, 8), mixed_dtype="float32")


def test_values_are_x_then_sine_and_cosine_of_each_octave():
    x = pixel_centres(37)[:, None]
    columns = [x[:, 0]]
    for k in range(10):
        columns += [np.sin(2.0**k * x[:, 0]), np.cos(2.0**k * x[:, 0])]
    found = outputs(PositionalEncoding(10)(x))[0]
    np.testing.assert_allclose(found, np.stack(columns, axis=-1), atol=1e-6)


@pytest.mark.parametrize(("identity", "channels"), [(True, 21), (False, 20)])
def test_its_number_of_channels(identity, channels):
    assert PositionalEncoding(identity=identity).channels == channels


def test_mixed_precision_does_not_touch_the_phases():
    x = pixel_centres(37)[:, None]
    exact = PositionalEncoding()(x)
    mixed = PositionalEncoding(dtype="mixed_bfloat16")(x)
    np.testing.assert_array_equal(outputs(mixed)[0], outputs(exact)[0])


@pytest.mark.parametrize(("encoding", "channels"), CHANNELS.items())
def test_offset_encoding_is_a_layer_without_weights_and_stays_float32(rng, encoding, channels):
    pixels = tuple(rng.uniform(0.1, 1, (2, 2, 9, 1)).astype(np.float32))
    arguments = {"encoding": encoding, "bandwidth": 6}
    check_layer(OffsetEncoding, arguments, pixels, (2, 9, channels), mixed_dtype="float32")
    layer = OffsetEncoding(**arguments)
    found = outputs(layer(*pixels))[0]
    assert (layer.channels, layer.count_params()) == (channels, 0)
    if encoding == "none":
        np.testing.assert_array_equal(found, pixels[0])
    if encoding == "positional":
        expected = outputs(PositionalEncoding(6, identity=False)(pixels[0]))[0]
        np.testing.assert_array_equal(found, expected)


def test_an_unknown_encoding_is_refused_with_the_nearest_known_one():
    message = "none, positional, integrated; received 'intergated'. Did you mean 'integrated'"
    with pytest.raises(InvalidArgument, match=message):
        OffsetEncoding("intergated")


@pytest.fixture
def centres(rng):
    return rng.uniform(-2, 2, (50, 1)).astype(np.float32)


def encoded(centre, radius, bandwidth=BANDWIDTH, **kwargs):
    layer = OffsetEncoding("integrated", bandwidth, **kwargs)
    return outputs(layer(centre, np.float32(radius)))[0]


def plain(centre):
    return outputs(PositionalEncoding(BANDWIDTH, identity=False)(centre))[0]


def mean_over(low, high, function):
    """The mean of a function over [low, high]: Gauss-Legendre on 512 equal parts."""
    nodes, weights = leggauss(8)
    places = (np.arange(512)[:, None] + (nodes + 1) / 2).reshape(-1) / 512
    x = low + (high - low) * places
    return function(x) @ np.tile(weights / 2, 512) / 512


@pytest.mark.parametrize("radius", RADII)
def test_values_are_means_over_the_pixel(centres, radius):
    centre, radius = centres.astype(np.float64), np.float64(np.float32(radius))
    columns = []
    for octave in range(BANDWIDTH):
        for wave in (np.sin, np.cos):
            low, high = centre - radius, centre + radius
            columns.append(mean_over(low, high, lambda x, w=2**octave, f=wave: f(w * x)))
    found = encoded(centres, np.full_like(centres, radius))
    np.testing.assert_allclose(found, np.stack(columns, axis=-1), atol=2e-6)


def test_a_rectangles_mean_is_that_of_its_own_axis(centres):
    # A frequency of the row, averaged over rows and columns of a pixel: the column has no effect.
    row, height, width = float(centres[0, 0]), 0.3, 1.1
    nodes, weights = leggauss(60)
    rows, _ = np.meshgrid(row + height * nodes, width * nodes, indexing="ij")
    area = np.outer(weights, weights) / 4
    found = encoded(centres[:1], height, bandwidth=4)[0]
    for octave in range(4):
        for i, wave in enumerate((np.sin, np.cos)):
            mean = (area * wave(2**octave * rows)).sum()
            assert found[2 * octave + i] == pytest.approx(mean, abs=1e-6)


def test_axes_of_a_grid_are_encoded_alone(rng):
    rows, columns = (rng.uniform(-2, 2, n).astype(np.float32) for n in (5, 7))
    grids = np.meshgrid(rows, columns, indexing="ij")
    for axis, grid, shape in zip((rows, columns), grids, ((5, 1, 1), (1, 7, 1)), strict=True):
        alone = encoded(axis.reshape(shape), 0.25)
        whole = encoded(grid[..., None], 0.25)
        # A backend's sine rounds by where in an array its argument lies.
        np.testing.assert_allclose(np.broadcast_to(alone, whole.shape), whole, atol=2e-7)


def test_one_radius_serves_all_centres(centres):
    each = encoded(centres, np.full_like(centres, 0.25))
    for radius in (0.25, [[0.25]]):
        np.testing.assert_allclose(encoded(centres, radius), each, atol=2e-7)


def test_without_extent_it_is_the_plain_encoding(centres):
    np.testing.assert_array_equal(encoded(centres, np.zeros_like(centres)), plain(centres))


@pytest.mark.parametrize("radius", [1e-45, 1e-38, 1e-20, 1e-8, 1e-5])
def test_small_pixels_come_near_the_plain_encoding(centres, radius):
    # sin(s) / s is within s^2 / 6 of 1; the fastest wave has s = 512 r.
    bound = 1e-6 + (512 * radius) ** 2 / 6
    assert np.abs(encoded(centres, radius) - plain(centres)).max() <= bound


def test_large_pixels_lose_their_fast_waves(centres):
    found = encoded(centres, 1.0).reshape(50, BANDWIDTH, 2)
    amplitude = np.hypot(found[..., 0], found[..., 1])
    frequency = 2.0 ** np.arange(BANDWIDTH)
    assert (amplitude <= 1 / frequency + 1e-6).all()
    np.testing.assert_allclose(np.hypot(*plain(centres).reshape(-1, 2).T), 1, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_does_not_touch_the_integrated_phases(centres, policy):
    mixed = encoded(centres, 0.25, dtype=policy)
    np.testing.assert_array_equal(mixed, encoded(centres, 0.25))


def test_gradients_are_finite_where_the_pixel_has_no_extent():
    centre = Variable(np.float32([[0.0], [0.3], [-1.7]]))
    radius = Variable(np.float32([[0.0], [0.0], [1e-30]]))
    layer = OffsetEncoding("integrated", BANDWIDTH)
    with tf.GradientTape() as tape:
        total = ops.sum(layer(centre, radius) * np.arange(1, 21, dtype=np.float32))
    assert np.isfinite(float(total))
    for gradient in tape.gradient(total, [centre.value, radius.value]):
        assert np.isfinite(np.asarray(gradient)).all()
