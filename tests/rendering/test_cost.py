"""Multiply-adds against counts by hand."""

from tfsr.models import ImplicitSR
from tfsr.rendering import multiply_adds

ENCODER = {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0}
LR, SIZE = (10, 12), (30, 40)
PIXELS, QUERIES = 10 * 12, 30 * 40


def count(decoder):
    return multiply_adds(ImplicitSR(ENCODER, decoder), LR, SIZE)


def test_encoder():
    assert count("liif").encoder == PIXELS * 9 * (3 * 8 + 3 * 8 * 8)


def test_a_re_parameterised_encoder_is_counted_folded():
    model = ImplicitSR({"name": "ecb", "features": 8, "blocks": 2}, "liif")
    assert multiply_adds(model, LR, SIZE).encoder == PIXELS * 9 * (3 * 8 + 3 * 8 * 8)


def test_liif():
    cost = count({"name": "liif", "hidden": [16, 32]})
    first, rest = 16 * (9 * 8 + 4), 16 * 32 + 32 * 3
    assert cost.published == 4 * QUERIES * (first + rest)
    axes = 16 * 2 * (SIZE[0] + SIZE[1])
    assert cost.as_run == PIXELS * 16 * 9 * 8 + axes + 4 * QUERIES * rest


def test_metasr():
    cost = count({"name": "metasr", "hidden": 16})
    assert cost.published == QUERIES * (3 * 16 + 16 * 9 * 8 * 3 + 9 * 8 * 3)
    projected = PIXELS * 9 * 8 * 3 * 17
    axes = 16 * (SIZE[0] + SIZE[1])
    # 1 / scale enters by a layer of its own, and 1 is one of the values.
    assert cost.as_run == projected + axes + QUERIES * 16 + QUERIES * 3 * 17


def test_a_linear_decoder_is_one_convolution_at_an_integer_scale():
    model = ImplicitSR(ENCODER, {"name": "arasfsr-linear", "hidden": [20], "frequency": False})
    assert multiply_adds(model, (10, 12), (20, 36)).as_run == PIXELS * (
        9 * 8 * 20  # The latent network.
        + 9 * 20 * 3 * 6  # Projection, basis and ensemble.
        + 9 * 3 * 3 * 6  # The skip.
    )


def test_a_linear_decoder_contracts_rows_first():
    cost = count({"name": "ope", "terms": 3})
    projected = PIXELS * 9 * 8 * 27
    assert cost.published == projected + 4 * QUERIES * 27
    assert cost.as_run == projected + 2 * 27 * SIZE[0] * LR[1] + 2 * 9 * QUERIES


def test_arasfsr_runs_its_coordinate_branch_once_a_query():
    both = count({"name": "arasfsr", "hidden": [16, 16], "frequency": False})
    alone = count(
        {"name": "arasfsr", "hidden": [16, 16], "frequency": False, "global_coordinates": False}
    )
    encoded = 16 * 21 * (SIZE[0] + SIZE[1])
    neighbour_terms = 16 * (SIZE[0] + SIZE[1])
    wider_content = 4 * QUERIES * 16 * 16
    assert (
        both.as_run - alone.as_run == QUERIES * 16 * 16 + encoded + neighbour_terms + wider_content
    )


def test_without_ensemble_there_is_one_neighbour():
    four = count({"name": "liif", "hidden": [16]})
    one = count({"name": "liif", "hidden": [16], "local_ensemble": False})
    assert four.published == 4 * one.published


def test_lm_liif_runs_its_latent_network_once_an_lr_pixel():
    cost = count({"name": "lm-liif", "hidden": [16, 16], "latent_hidden": [20], "code": 6})
    first, second = 20 * 9 * 8, 20 * (2 * 32 + 6)
    render = 16 * 16 + 16 * 3
    assert cost.published == PIXELS * (first + 20 * 2 + second) + 4 * QUERIES * (
        16 * (6 + 4) + render
    )
    axes = 16 * 2 * (SIZE[0] + SIZE[1])
    assert cost.as_run == (
        PIXELS * (first + 20 * 2 + second + 16 * 6) + axes + 4 * QUERIES * render
    )


def test_lm_lte_adds_the_kernels_of_its_frequencies():
    arguments = {"hidden": [16, 16], "latent_hidden": [20], "waves": 5, "render_waves": 3}
    cost = count({"name": "lm-lte", **arguments})
    convolutions = 2 * 9 * 8 * 10
    latent = 5 * 2 + 10 * 20 + 20 * (2 * 32 + 12)
    render = 6 * 16 + 16 * 16 + 16 * 3
    assert cost.published == PIXELS * (convolutions + latent) + 4 * QUERIES * (3 * 2 + render)
    axes = 3 * (SIZE[0] + SIZE[1])
    assert cost.as_run == (PIXELS * (convolutions * 3 // 4 + latent) + axes + 4 * QUERIES * render)
