import numpy as np
import pytest
from checks import encode, grid_points, outputs

from tfsr.decoders import ARASFSR
from tfsr.rendering import render_points

SMALL = {"hidden": (16, 16), "frequency_features": 8, "frequency_blocks": 1}

CONVOLUTION = 9 * 64 * 64 + 64
HALF = 4 * 2 * CONVOLUTION + CONVOLUTION  # four residual blocks and the one after them
FREQUENCY = (9 * 3 * 64 + 64) + HALF + (9 * 64 * 128 + 128)
FREQUENCY += CONVOLUTION + HALF + (9 * 64 * 8 + 8)
OUTPUT = 256 * 3 + 3
# Content layers see both branches; the first coordinate layer sees 2 x (1 + 2 x 10) values.
MODULATED = 3 * (512 * 256 + 256) + (42 * 256 + 256) + 3 * (256 * 256 + 256) + OUTPUT
PLAIN = 3 * (256 * 256 + 256) + OUTPUT

# First content layer: 3x3 features (and tokens), then offset, neighbour and cell.
ABLATIONS = {
    "whole": ({}, FREQUENCY + (9 * 72 + 6) * 256 + 256 + MODULATED),
    "nearest": ({"local_ensemble": False}, FREQUENCY + (9 * 72 + 6) * 256 + 256 + MODULATED),
    "no skip": ({"skip": False}, FREQUENCY + (9 * 72 + 6) * 256 + 256 + MODULATED),
    "no frequency": ({"frequency": False}, (9 * 64 + 6) * 256 + 256 + MODULATED),
    "no coordinates": (
        {"global_coordinates": False},
        FREQUENCY + (9 * 72 + 4) * 256 + 256 + PLAIN,
    ),
}


def arasfsr(channels=6, **arguments):
    decoder = ARASFSR(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


@pytest.fixture
def image(rng):
    features = rng.normal(size=(1, 5, 7, 6)).astype(np.float32)
    return features, rng.uniform(-1, 1, (1, 5, 7, 3)).astype(np.float32)


@pytest.mark.parametrize(("arguments", "expected"), ABLATIONS.values(), ids=ABLATIONS)
def test_parameter_counts(arguments, expected):
    assert arasfsr(64, **arguments).count_params() == expected


def test_the_published_decoder():
    assert arasfsr(64).count_params() == 1_552_715


@pytest.mark.parametrize("arguments", [a for a, _ in ABLATIONS.values()], ids=ABLATIONS)
def test_every_ablation_outputs(image, arguments):
    decoder = arasfsr(**SMALL, **arguments)
    latent = encode(decoder, *image)
    tokens, skip = 8 if decoder.frequency else 0, 3 if decoder.skip else 0
    assert latent.shape[-1] == 6 + tokens + skip
    colours = outputs(render_points(decoder, latent, *grid_points((19, 26))))[0]
    assert colours.shape == (1, 19 * 26, 3)
    assert np.isfinite(colours).all() and colours.std() > 0


@pytest.mark.parametrize("local_ensemble", [True, False])
def test_the_skip_is_the_bilinear_image(image, local_ensemble):
    pixels = image[1][0]
    arguments = {**SMALL, "local_ensemble": local_ensemble}
    whole, bare = arasfsr(**arguments), arasfsr(**arguments, skip=False)
    bare.set_weights(whole.get_weights())
    points = grid_points((19, 26))
    difference = outputs(render_points(whole, encode(whole, *image), *points))[0]
    difference = difference - outputs(render_points(bare, encode(bare, *image), *points))[0]

    rows, columns = ((np.arange(n) + 0.5) / n for n in (19, 26))
    tall = interpolated(pixels, rows)
    expected = interpolated(tall.swapaxes(0, 1), columns).swapaxes(0, 1)
    np.testing.assert_allclose(difference.reshape(19, 26, 3), expected, atol=1e-5)


def interpolated(values, positions):
    """Linear interpolation along the first axis, at positions in [0, 1], held at the border."""
    centres = (np.arange(len(values)) + 0.5) / len(values)
    flat = values.reshape(len(values), -1)
    columns = [np.interp(positions, centres, column) for column in flat.T]
    return np.stack(columns, axis=-1).reshape(len(positions), *values.shape[1:])


@pytest.mark.parametrize("global_coordinates", [True, False])
def test_the_place_in_the_face_matters_with_global_coordinates(global_coordinates):
    decoder = arasfsr(**SMALL, global_coordinates=global_coordinates)
    flat = np.full((1, 9, 9, 6), 0.3, np.float32), np.zeros((1, 9, 9, 3), np.float32)
    # The token's convolutions see the border; a flat token leaves the place alone to differ.
    latent = np.array(encode(decoder, *flat))
    latent[:] = latent[:, 4:5, 4:5]
    # The same place within two pixels, both far from the border.
    points = np.float32([[(0.05, 0.05), (0.05 + 4 / 9, 0.05 - 2 / 9)]])
    first, second = outputs(render_points(decoder, latent, points, np.full_like(points, 0.1)))[0][0]
    assert (np.abs(first - second).max() > 1e-3) == global_coordinates
    if not global_coordinates:
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("global_coordinates", [True, False])
def test_a_window_tells_where_in_the_whole_image_it_lies(image, global_coordinates):
    decoder = arasfsr(**SMALL, global_coordinates=global_coordinates)
    latent = encode(decoder, *image)
    points, cells = grid_points((10, 14))
    alone, whole, corner = (
        outputs(render_points(decoder, latent, points, cells, window))[0]
        for window in (None, np.float32([[0, 0, 1, 1]]), np.float32([[-0.5, 0.5, 0.5, 0.5]]))
    )
    np.testing.assert_array_equal(whole, alone)
    assert (np.abs(corner - whole).max() > 1e-3) == global_coordinates


def test_noise_and_its_weight_reach_the_frequency_estimation(image):
    decoder = arasfsr(**SMALL, noise=False, kl_weight=0.5, seed=4)
    found = decoder.frequency_estimation
    assert (found.noise, found.kl_weight, found.seed) == (False, 0.5, 4)
    encode(decoder, *image, training=True)
    assert len(decoder.losses) == 1


@pytest.mark.parametrize("asked", [{}, {"sample": True}, {"training": True}])
def test_the_latent_repeats_unless_noise_is_asked_for(image, asked):
    decoder = arasfsr(**SMALL, seed=4)
    first, second = (outputs(encode(decoder, *image, **asked))[0] for _ in range(2))
    assert np.array_equal(first, second) == (not asked)


def test_mixed_precision_keeps_coordinates_exact(image):
    exact, mixed = arasfsr(**SMALL), arasfsr(**SMALL, dtype="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    points, cells = grid_points((40, 56))
    # A 16-bit coordinate would move the 2^9 x waves by half a turn; rounding alone does not.
    found = outputs(render_points(mixed, encode(mixed, *image), points, cells))[0]
    expected = outputs(render_points(exact, encode(exact, *image), points, cells))[0]
    assert np.abs(found - expected).max() < 0.1 * expected.std()
