"""What every registered decoder promises: one image, however it is asked for."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import quick
from checks import check_close, check_config, encode, grid_points, outputs

from tfsr.decoders import DECODERS, Decoder
from tfsr.errors import InvalidArgument
from tfsr.geometry import cell_size, grid_plan, pixel_centres, window_coordinates
from tfsr.rendering import render_grid, render_integer_scale, render_lattice, render_points
from tfsr.rendering.maps import project
from tfsr.rendering.queries import render_band
from tfsr.rendering.samplers import broadcastable

CHANNELS = 6

# GB-LSR's eight octaves of pi multiply the rounding of offsets that are computed in two ways.
TOLERANCES = {"gb-lsr": 1e-4}
# They differ from another decoder in a part or a switch.
VARIANTS = {"ipe-liif", "ipe-metasr", "lte+", "diinn-ensemble", "lm-lte"}
NAMES = quick(set(DECODERS.names()) - VARIANTS, DECODERS.names())
pytestmark = pytest.mark.parametrize("name", NAMES, scope="module")

SIZES = [
    ((5, 7), (19, 26)),  # x3.7
    ((9, 8), (4, 5)),  # down
    ((1, 7), (6, 20)),
    ((5, 1), (12, 1)),
]


@pytest.fixture(scope="module")
def decoder(name):
    """Shared: do not change it."""
    keras.utils.set_random_seed(0)
    decoder = DECODERS.build(name)
    decoder.build((None, None, None, CHANNELS))
    return decoder


@pytest.fixture
def tolerance(name):
    return TOLERANCES.get(name, 1e-5)


def encoded(decoder, size, rng, batch=2):
    features = rng.normal(size=(batch, *size, CHANNELS)).astype(np.float32)
    image = rng.uniform(-1, 1, (batch, *size, 3)).astype(np.float32)
    return encode(decoder, features, image)


def encoded_channels(decoder):
    """Channels of a latent."""
    latent = encode(decoder, np.zeros((1, 1, 1, CHANNELS)), np.zeros((1, 1, 1, 3)))
    return latent.shape[-1]


def rendered(decoder, latent, plan):
    return outputs(render_grid(decoder, latent, plan))[0]


@pytest.mark.parametrize(("lr_size", "size"), SIZES)
def test_points_and_grid_are_the_same_image(decoder, rng, tolerance, lr_size, size):
    latent = encoded(decoder, lr_size, rng)
    grid = rendered(
        decoder, latent, grid_plan(lr_size, size, neighbour_mode=decoder.neighbour_mode)
    )
    points = outputs(render_points(decoder, latent, *grid_points(size, batch=2)))[0]
    assert grid.shape == (2, *size, 3)
    assert points.shape == (2, size[0] * size[1], 3)
    check_close(points.reshape(grid.shape), grid, tolerance)


@pytest.mark.parametrize(("lr_size", "size"), SIZES)
def test_a_lattice_is_its_rows_and_columns_of_the_grid(decoder, rng, tolerance, lr_size, size):
    latent = encoded(decoder, lr_size, rng)
    grid = rendered(
        decoder, latent, grid_plan(lr_size, size, neighbour_mode=decoder.neighbour_mode)
    )
    # Each image has rows and columns of its own.
    rows, columns = (np.stack([rng.integers(n, size=5) for _ in range(2)]) for n in size)
    coordinates = [pixel_centres(n)[k] for n, k in zip(size, (rows, columns), strict=True)]
    cells = np.float32([[cell_size(n) for n in size]] * 2)
    lattice = outputs(render_lattice(decoder, latent, *coordinates, cells))[0]
    expected = [image[k][:, n] for image, k, n in zip(grid, rows, columns, strict=True)]
    check_close(lattice, np.stack(expected), tolerance)


def test_images_of_a_batch_do_not_meet(decoder, rng):
    latent = encoded(decoder, (5, 7), rng)
    plan = grid_plan((5, 7), (10, 14), neighbour_mode=decoder.neighbour_mode)
    both = rendered(decoder, latent, plan)
    for i in (0, 1):
        check_close(rendered(decoder, latent[i : i + 1], plan)[0], both[i], 1e-5)
    assert not np.allclose(both[0], both[1], atol=1e-3)


@pytest.mark.parametrize("shared", [True, False])
def test_points_have_their_own_cells(decoder, rng, shared):
    """Whether all points of an image share a cell, which is cheaper, or each has one of its own."""
    latent = encoded(decoder, (5, 7), rng)
    coordinates = rng.uniform(-1, 1, (2, 3, 2)).astype(np.float32)
    cells = rng.uniform(0.05, 0.3, (2, 1 if shared else 3, 2)).astype(np.float32)
    cells = np.broadcast_to(cells, coordinates.shape)
    together = outputs(render_points(decoder, latent, coordinates, cells))[0]
    for i in range(3):
        alone = outputs(
            render_points(decoder, latent, coordinates[:, i : i + 1], cells[:, i : i + 1])
        )[0]
        check_close(together[:, i : i + 1], alone, 1e-5)


@pytest.mark.parametrize("window", [(7, 11, 5, 9), (18, 25, 1, 1)])
def test_a_window_is_the_same_region_of_the_whole(decoder, rng, window):
    latent = encoded(decoder, (5, 7), rng)
    whole = rendered(
        decoder, latent, grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    )
    part_plan = grid_plan((5, 7), (19, 26), window=window, neighbour_mode=decoder.neighbour_mode)
    top, left, height, width = window
    expected = whole[:, top : top + height, left : left + width]
    check_close(rendered(decoder, latent, part_plan), expected, 1e-5)


def test_bands_of_rows_are_the_whole(decoder, rng):
    latent = encoded(decoder, (5, 7), rng)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    bands = [
        rendered(decoder, latent, replace(plan, rows=plan.rows[start : start + 6]))
        for start in range(0, 19, 6)
    ]
    whole = rendered(decoder, latent, plan)
    check_close(np.concatenate(bands, axis=1), whole, 1e-5)


def plan_of(decoder, lr_size, scales):
    """The plan of a whole image at integer scales."""
    size = [lr * scale for lr, scale in zip(lr_size, scales, strict=True)]
    return grid_plan(lr_size, size, neighbour_mode=decoder.neighbour_mode)


@pytest.mark.parametrize(
    ("lr_size", "scales"),
    [
        ((3, 4), (3, 3)),
        ((1, 7), (4, 2)),
        ((1, 1), (2, 5)),
        ((5, 7), (1, 1)),
    ],
)
def test_an_integer_scale_rendered_by_phases_is_the_grid(decoder, rng, tolerance, lr_size, scales):
    latent = encoded(decoder, lr_size, rng)
    plan = plan_of(decoder, lr_size, scales)
    phases = outputs(render_integer_scale(decoder, latent, plan))[0]
    check_close(phases, rendered(decoder, latent, plan), tolerance)


def test_a_fractional_scale_has_no_phases(decoder, rng):
    plan = grid_plan((5, 7), (10, 15), neighbour_mode=decoder.neighbour_mode)
    with pytest.raises(InvalidArgument, match=r"integer scales; received \(5, 7\) to \(10, 15\)$"):
        render_integer_scale(decoder, encoded(decoder, (5, 7), rng), plan)


def operations(function, *inputs):
    """The types of all operations of a function's graph, and of the functions in it."""
    graph = (
        tf.function(function, autograph=False).get_concrete_function(*inputs).graph.as_graph_def()
    )
    nodes = [graph.node, *(function.node_def for function in graph.library.function)]
    return {node.op for part in nodes for node in part}


def test_an_integer_scale_gathers_nothing(decoder):
    plan = plan_of(decoder, (4, 5), (1, 2))
    latent = tf.TensorSpec((1, 4, 5, encoded_channels(decoder)))
    found = operations(lambda x: render_integer_scale(decoder, x, plan), latent)
    assert "Conv2D" in found
    assert {op for op in found if "Gather" in op} == set()


def test_a_modulation_computed_before_changes_nothing(decoder, rng, monkeypatch):
    latent = encoded(decoder, (5, 7), rng)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    expected = rendered(decoder, latent, plan)
    kept = decoder.modulation(*broadcastable(plan.rows, plan.columns))
    if kept is not None:
        # It is not computed again.
        monkeypatch.setattr(type(decoder), "modulation", None)
    found = outputs(render_band(decoder, *project(decoder, latent, plan), plan, kept))[0]
    np.testing.assert_array_equal(found, expected)


def test_nothing_is_unfolded_into_the_latent(decoder, rng):
    latent = encoded(decoder, (5, 7), rng)
    assert tuple(latent.shape) == (2, 5, 7, encoded_channels(decoder))


def test_a_decoder_says_whether_the_place_in_the_whole_image_matters(decoder, rng):
    features = rng.normal(size=(2, 5, 7, CHANNELS)).astype(np.float32)
    image = rng.uniform(-1, 1, (2, 5, 7, 3)).astype(np.float32)
    points = grid_points((10, 14), batch=2)
    lower_right = np.float32([[0.5, 0.5, 0.5, 0.5]] * 2)

    def colours(window, coordinates):
        latent = encode(decoder, features, image, coordinates=coordinates)
        return outputs(render_points(decoder, latent, *points, window))[0]

    there = window_coordinates(lower_right, (5, 7))
    apart = np.abs(colours(None, None) - colours(lower_right, there))
    assert (apart.max() > 1e-4) == decoder.global_coordinates


def test_config(name, decoder):
    assert isinstance(decoder, Decoder)
    config = DECODERS.config_of(decoder)
    copy = DECODERS.build(config)
    assert type(copy) is type(decoder)
    assert DECODERS.config_of(copy) == config
    # A name that stands for arguments is written out as its class's own name and the arguments.
    assert type(DECODERS.build(config.pop("name"))) is type(decoder)
    check_config(decoder, config)


def test_mixed_precision_outputs_float32(name, decoder, rng):
    mixed = DECODERS.build(name, dtype="mixed_bfloat16")
    mixed.build((None, None, None, CHANNELS))
    mixed.set_weights(decoder.get_weights())
    latent = encoded(decoder, (5, 7), rng)
    exact = render_points(decoder, latent, *grid_points((10, 14), batch=2))
    rounded = render_points(mixed, latent, *grid_points((10, 14), batch=2))
    assert rounded.dtype == "float32"
    check_close(outputs(rounded)[0], outputs(exact)[0], 0.1)
