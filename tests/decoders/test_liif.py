import numpy as np
import pytest
from checks import answers

from tfsr.decoders import LIIF
from tfsr.geometry import grid_plan

# Three hidden layers after the first, and the output.
LATER_LAYERS = 3 * (256 * 256 + 256) + 256 * 3 + 3
ABLATIONS = {
    "": ({}, 9 * 64 + 4),
    "-e": ({"local_ensemble": False}, 9 * 64 + 4),
    "-u": ({"feat_unfold": False}, 64 + 4),
    "-c": ({"cell_decode": False}, 9 * 64 + 2),
    "-e -u -c": (
        {"local_ensemble": False, "feat_unfold": False, "cell_decode": False},
        64 + 2,
    ),
}


def liif(channels=6, **arguments):
    decoder = LIIF(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


def colours(decoder, latent, points, cell=0.1):
    coordinates = np.float32([points])
    cells = np.full_like(coordinates, cell)
    return answers(decoder(latent, coordinates, cells))[0][0]


def changed(before, after):
    return np.abs(after - before).max(axis=-1) > 1e-6


@pytest.fixture
def latent(rng):
    return rng.normal(size=(1, 5, 7, 6)).astype(np.float32)


@pytest.mark.parametrize(("arguments", "inputs"), ABLATIONS.values(), ids=ABLATIONS)
def test_parameter_counts(arguments, inputs):
    assert liif(64, **arguments).count_params() == inputs * 256 + 256 + LATER_LAYERS


@pytest.mark.parametrize(("arguments", "_"), ABLATIONS.values(), ids=ABLATIONS)
def test_every_ablation_draws_a_picture(latent, arguments, _):
    decoder = liif(**arguments)
    plan = grid_plan((5, 7), (19, 26), lookup=decoder.lookup)
    picture = answers(decoder.grid(*decoder.split(latent), plan))[0]
    assert picture.shape == (1, 19, 26, 3)
    assert np.isfinite(picture).all() and picture.std() > 0


def test_the_published_decoder():
    assert liif(64).count_params() == 346_883


@pytest.mark.parametrize("cell_decode", [True, False])
def test_the_cell_matters_where_it_is_decoded(latent, cell_decode):
    decoder = liif(cell_decode=cell_decode)
    points = [(0.1, 0.2), (-0.7, 0.9)]
    small, large = (colours(decoder, latent, points, cell) for cell in (0.02, 0.4))
    assert changed(small, large).all() == cell_decode
    assert changed(small, large).any() == cell_decode


@pytest.mark.parametrize(("feat_unfold", "reach"), [(True, 1), (False, 0)])
def test_without_ensemble_the_nearest_pixel_answers_alone(latent, feat_unfold, reach):
    decoder = liif(local_ensemble=False, feat_unfold=feat_unfold)
    points = [(0.1, 0.1), (-0.15, -0.1)]  # both in pixel (2, 3), whose centre is (0, 0)
    before = colours(decoder, latent, points)
    for row in range(5):
        for column in range(7):
            other = latent.copy()
            other[0, row, column] += 1
            near = max(abs(row - 2), abs(column - 3)) <= reach
            assert (changed(before, colours(decoder, other, points)) == near).all()


def test_with_ensemble_the_four_around_the_query_answer(latent):
    decoder = liif(feat_unfold=False)
    before = colours(decoder, latent, [(0.1, 0.1)])
    for row in range(5):
        for column in range(7):
            other = latent.copy()
            other[0, row, column] += 1
            near = row in (2, 3) and column in (3, 4)
            assert changed(before, colours(decoder, other, [(0.1, 0.1)]))[0] == near


@pytest.mark.parametrize("local_ensemble", [True, False])
def test_the_ensemble_removes_the_jump_between_pixels(latent, local_ensemble):
    decoder = liif(local_ensemble=local_ensemble)
    # On the ensemble's seams, the pixels' centres; without it they lie between the pixels.
    seam = 0.0 if local_ensemble else 1 / 7
    before, after = colours(decoder, latent, [(0.1, seam - 1e-5), (0.1, seam + 1e-5)])
    assert (np.abs(after - before).max() < 1e-4) == local_ensemble
