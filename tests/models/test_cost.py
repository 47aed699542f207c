"""Multiply-adds against counts by hand."""

from tfsr.models import ImplicitSR
from tfsr.models.cost import multiply_adds

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
    assert cost.here == PIXELS * 16 * 9 * 8 + axes + 4 * QUERIES * rest


def test_metasr():
    cost = count({"name": "metasr", "hidden": 16})
    assert cost.published == QUERIES * (3 * 16 + 16 * 9 * 8 * 3 + 9 * 8 * 3)
    projected = PIXELS * 9 * 8 * 3 * 17
    axes = 16 * (SIZE[0] + SIZE[1])
    # 1 / scale enters by a layer of its own.
    assert cost.here == projected + axes + QUERIES * 16 + QUERIES * 3 * 16


def test_arasfsr_runs_its_coordinate_branch_once_a_query():
    both = count({"name": "arasfsr", "hidden": [16, 16], "frequency": False})
    alone = count(
        {"name": "arasfsr", "hidden": [16, 16], "frequency": False, "global_coordinates": False}
    )
    encoded = 16 * 21 * (SIZE[0] + SIZE[1])
    neighbour_terms = 16 * (SIZE[0] + SIZE[1])
    wider_content = 4 * QUERIES * 16 * 16
    assert both.here - alone.here == QUERIES * 16 * 16 + encoded + neighbour_terms + wider_content


def test_without_ensemble_there_is_one_neighbour():
    four = count({"name": "liif", "hidden": [16]})
    one = count({"name": "liif", "hidden": [16], "local_ensemble": False})
    assert four.published == 4 * one.published
