import numpy as np
import pytest
from checks import check_close, encode, grid_points, outputs

from tfsr.decoders import DECODERS, LTE
from tfsr.geometry import grid_plan
from tfsr.rendering import render_grid, render_points

SMALL = {"waves": 8, "hidden": (16, 16)}


def lte(channels=6, **arguments):
    decoder = LTE(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


def twin(decoder, **arguments):
    """Another decoder with the same weights."""
    other = lte(**{**SMALL, **arguments})
    other.set_weights(decoder.get_weights())
    return other


def colours(decoder, latent, coordinates, scale, lr_size=(5, 7)):
    """Points of pixels `scale` times smaller than the LR ones."""
    cells = np.full_like(coordinates, 2 / np.float32(lr_size) / np.float32(scale))
    return outputs(render_points(decoder, latent, coordinates, cells))[0]


@pytest.fixture
def image(rng):
    features = rng.normal(size=(1, 5, 7, 6)).astype(np.float32)
    return features, rng.uniform(-1, 1, (1, 5, 7, 3)).astype(np.float32)


@pytest.fixture
def coordinates(rng):
    return rng.uniform(-1, 1, (1, 300, 2)).astype(np.float32)


# Two 3x3 convolutions of 64 to 2 x 128 channels, the phase, three layers of 256, and the output.
PARAMETERS = 2 * (9 * 64 * 256 + 256) + 2 * 128 + 3 * (256 * 256 + 256) + 256 * 3 + 3


@pytest.mark.parametrize("name", ["lte", "lte+"])
def test_the_published_decoder(name):
    decoder = DECODERS.build(name)
    decoder.build((None, None, None, 64))
    assert decoder.count_params() == PARAMETERS == 493_827


@pytest.mark.parametrize("arguments", [{"skip": False}, {"local_ensemble": False}])
def test_ablations_have_the_same_parameters(arguments):
    assert lte(64, **arguments).count_params() == PARAMETERS


@pytest.mark.parametrize("scale", [1, 2, 3.9, 4])
def test_scales_up_to_the_largest_are_unchanged(image, coordinates, scale):
    decoder = lte(**SMALL)
    latent = encode(decoder, *image)
    expected = colours(decoder, latent, coordinates, scale)
    found = colours(twin(decoder, max_scale=4), latent, coordinates, scale)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [4.5, 8, (8, 30)])
def test_scales_beyond_the_largest_are_clamped(image, coordinates, scale):
    decoder = lte(**SMALL)
    latent = encode(decoder, *image)
    largest = colours(decoder, latent, coordinates, 4)
    found = colours(twin(decoder, max_scale=4), latent, coordinates, scale)
    np.testing.assert_allclose(found, largest, atol=1e-6)
    assert np.abs(colours(decoder, latent, coordinates, scale) - largest).max() > 1e-3


def test_each_axis_has_a_largest_scale_of_its_own(image, coordinates):
    decoder = lte(**SMALL)
    latent = encode(decoder, *image)
    found = colours(twin(decoder, max_scale=4), latent, coordinates, (2, 8))
    expected = colours(decoder, latent, coordinates, (2, 4))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("max_scale", [None, 4])
def test_grids_get_the_same_cell_as_points(image, max_scale):
    decoder = lte(**SMALL, max_scale=max_scale)
    latent = encode(decoder, *image)
    plan = grid_plan((5, 7), (40, 56), neighbour_mode=decoder.neighbour_mode)
    grid = outputs(render_grid(decoder, latent, plan))[0]
    points = outputs(render_points(decoder, latent, *grid_points((40, 56))))[0]
    check_close(points.reshape(grid.shape), grid, 1e-5)


@pytest.mark.parametrize("local_ensemble", [True, False])
def test_the_skip_is_the_bilinear_image(image, local_ensemble):
    pixels = image[1][0]
    whole = lte(**SMALL, local_ensemble=local_ensemble)
    bare = twin(whole, local_ensemble=local_ensemble, skip=False)
    points = grid_points((19, 26))
    difference = outputs(render_points(whole, encode(whole, *image), *points))[0]
    difference = difference - outputs(render_points(bare, encode(bare, *image), *points))[0]

    expected = pixels
    for size in (19, 26):
        # Linear along the first axis, held at the border; then the other axis comes first.
        centres, places = ((np.arange(n) + 0.5) / n for n in (len(expected), size))
        lines = expected.reshape(len(expected), -1).T
        tall = np.stack([np.interp(places, centres, line) for line in lines], axis=-1)
        expected = tall.reshape(size, *expected.shape[1:]).swapaxes(0, 1)
    np.testing.assert_allclose(difference.reshape(19, 26, 3), expected, atol=1e-5)


@pytest.mark.parametrize("local_ensemble", [True, False])
def test_waves_are_cosines_then_sines_of_the_phase(image, local_ensemble):
    decoder = lte(**SMALL, local_ensemble=local_ensemble, skip=False)
    latent = image[0]
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    maps = outputs(decoder.project(latent))
    projected = np.concatenate(maps, axis=-1)[0].astype(np.float64)
    row_phase, column_phase = decoder.phase.get_weights()
    layers = [decoder.first, *decoder.mlp.dense, decoder.mlp.output_layer]
    expected = 0
    for i in range(plan.rows.indices.shape[-1]):
        for j in range(plan.columns.indices.shape[-1]):
            row, column = plan.rows.neighbour(i), plan.columns.neighbour(j)
            waves = projected[row.index][:, column.index].reshape(19 * 26, -1)
            amplitude, row_frequency, column_frequency = np.split(waves, [16, 24], axis=-1)
            # All that belongs to a row is repeated along it, all of a column comes again below.
            row_offset, row_cell = (np.repeat(v, 26, axis=0) for v in (row.offset, row.cell))
            column_offset, column_cell = (np.tile(v, (19, 1)) for v in (column.offset, column.cell))
            phase = row_frequency * row_offset + column_frequency * column_offset
            phase = np.pi * (phase + row_cell * row_phase + column_cell * column_phase)
            x = amplitude * np.concatenate([np.cos(phase), np.sin(phase)], axis=-1)
            for layer in layers:
                kernel, bias = layer.get_weights()
                x = x @ kernel + bias
                x = x if layer is layers[-1] else np.maximum(x, 0)
            weights = np.repeat(row.weight, 26, axis=0) * np.tile(column.weight, (19, 1))
            expected = expected + weights * x
    found = outputs(render_grid(decoder, latent, plan))[0][0]
    check_close(found, expected.reshape(19, 26, 3), 1e-4)
