"""The answers of the published systems, from their own recorded weights."""

import numpy as np
import pytest
from checks import answers, check_close, golden, grid_points, published_model

# Of the outputs' standard deviation. ARASFSR's 2^9 x coordinate amplifies float32 rounding.
TOLERANCE = {"liif_edsr_small": 2e-5, "liif_rdn_small": 2e-5, "asfsr_edsr_small": 5e-4}
SIZES = [(24, 34), (30, 40), (37, 61), (36, 51), (96, 136), (12, 17), (9, 13)]

names = pytest.mark.parametrize("name", TOLERANCE)
sizes = pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)


def unsettled(size):
    """Where the published ensemble is 0/0, decided by rounding: last centres of odd scales."""
    mask = np.zeros(size, bool)
    last = {(36, 51): (34, 49), (12, 17): (11, 16)}.get(size)
    if last is not None:
        mask[last[0]] = mask[:, last[1]] = True
    return mask


def published(picture):
    """[0, 1] to the published code's [-1, 1]."""
    return 2 * np.asarray(picture) - 1


@names
def test_the_goldens_hold_the_sizes_tested_here(name):
    found = {key for key in golden(name) if key.startswith("out_")}
    assert found == {f"out_{height}x{width}" for height, width in SIZES}


@names
@sizes
def test_upscale_draws_the_published_picture(name, size):
    arrays = golden(name)
    picture = published_model(name).upscale(arrays["img"][None], size=size)[0]
    expected = arrays["out_{}x{}".format(*size)]
    check_close(published(picture), expected, TOLERANCE[name], excused=unsettled(size))


@names
@sizes
def test_points_are_the_published_picture(name, size):
    arrays = golden(name)
    coordinates, cell = grid_points(size)
    inputs = {"image": arrays["img"][None], "coordinates": coordinates, "cell": cell}
    picture = np.reshape(published_model(name)(inputs), (*size, 3))
    expected = arrays["out_{}x{}".format(*size)]
    check_close(published(picture), expected, TOLERANCE[name], excused=unsettled(size))


@names
def test_points_anywhere_with_their_own_cells(name):
    arrays = golden(name)
    inputs = {
        "image": 0.5 * arrays["q_input"] + 0.5,
        "coordinates": arrays["q_coord"],
        "cell": arrays["q_cell"],
    }
    colours = published_model(name)(inputs)
    check_close(published(colours), arrays["q_out"], TOLERANCE[name])


@names
def test_the_encoder_gives_the_published_features(name):
    arrays = golden(name)
    features = answers(published_model(name).encoder(arrays["input"][None]))[0][0]
    check_close(features, arrays["feat"], 2e-5)


def test_the_frequency_estimation_gives_the_published_moments_and_tokens():
    arrays = golden("asfsr_edsr_small")
    layer = published_model("asfsr_edsr_small").decoder.frequency_estimation
    picture = arrays["input"][None]
    mean, log_variance = answers(layer.moments(picture))
    check_close(mean[0], arrays["ctm_mu"], 2e-5)
    check_close(log_variance[0], arrays["ctm_logvar"], 2e-5)
    check_close(answers(layer(picture))[0][0], arrays["ctm_eps0"], 2e-5)


@sizes
def test_recorded_noise_draws_the_published_picture(size):
    arrays = golden("asfsr_edsr_small")
    model = published_model("asfsr_edsr_small")
    layer = model.decoder.frequency_estimation
    mean, log_variance = answers(layer.moments(arrays["input"][None]))
    noise = arrays["eps"].transpose(0, 2, 3, 1)
    tokens = answers(layer.tokens_from(mean + noise * np.exp(0.5 * log_variance)))[0]

    latent = np.array(model.encode(arrays["img"][None]))
    channels = model.encoder.channels
    latent[..., channels : channels + tokens.shape[-1]] = tokens
    picture = answers(model.render(latent, model.plan((12, 17), size)))[0][0]
    expected = arrays["outeps_{}x{}".format(*size)]
    tolerance = TOLERANCE["asfsr_edsr_small"]
    check_close(published(picture), expected, tolerance, excused=unsettled(size))
