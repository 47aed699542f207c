"""LM-LIIF and LM-LTE: what both share, and each against its formula."""

import numpy as np
import pytest
from checks import (
    check_close,
    check_refused,
    encode,
    grid_points,
    outputs,
    unfolded,
    unfolded_kernel,
)

from tfsr.decoders import DECODERS, LMLIIF, LMLTE
from tfsr.geometry import grid_plan
from tfsr.rendering import render_grid, render_points
from tfsr.rendering.maps import project
from tfsr.rendering.queries import render_band

SMALL = {
    "lm-liif": {"hidden": [8, 6], "latent_hidden": [9, 7], "code": 4},
    "lm-lte": {"hidden": [8, 6], "latent_hidden": [9, 7], "waves": 5, "render_waves": 3},
}
both = pytest.mark.parametrize("name", SMALL)


def small(name, channels=6, **arguments):
    decoder = DECODERS.build({"name": name, **SMALL[name], **arguments})
    decoder.build((None, None, None, channels))
    return decoder


def twin(decoder, name, **arguments):
    """Another decoder with the same weights."""
    other = small(name, **arguments)
    other.set_weights(decoder.get_weights())
    return other


@pytest.fixture
def encoded(rng):
    features = rng.normal(size=(2, 5, 7, 6)).astype(np.float32)
    return features, rng.uniform(-1, 1, (2, 5, 7, 3)).astype(np.float32)


@pytest.mark.parametrize(("name", "count"), [("lm-liif", 165_651), ("lm-lte", 270_467)])
def test_the_published_decoder(name, count):
    decoder = DECODERS.build(name)
    decoder.build((None, None, None, 64))
    assert decoder.count_params() == count


@both
def test_queries_are_as_wide_as_the_render_network_alone(name):
    decoder = DECODERS.build(name)
    decoder.build((None, None, None, 64))
    assert decoder.query_width == 16


@both
def test_without_ensemble_the_parameters_are_the_same(name):
    assert small(name, local_ensemble=False).count_params() == small(name).count_params()


@both
@pytest.mark.parametrize("scale", [8, (8, 30)])
def test_scales_beyond_the_largest_are_the_largest(name, scale, encoded, rng):
    decoder = small(name)
    latent = encode(decoder, *encoded)
    coordinates = rng.uniform(-1, 1, (2, 300, 2)).astype(np.float32)

    def colours(decoder, scale):
        cells = np.full_like(coordinates, 2 / np.float32((5, 7)) / np.float32(scale))
        return outputs(render_points(decoder, latent, coordinates, cells))[0]

    largest = colours(decoder, 4)
    limited = twin(decoder, name, max_scale=4)
    np.testing.assert_allclose(colours(limited, scale), largest, atol=1e-6)
    np.testing.assert_allclose(colours(limited, 2.5), colours(decoder, 2.5), atol=1e-6)
    assert np.abs(colours(decoder, scale) - largest).max() > 1e-3


@both
def test_grids_have_the_limited_cell_too(name, encoded):
    decoder = small(name, max_scale=4)
    latent = encode(decoder, *encoded)
    plan = grid_plan((5, 7), (40, 56), neighbour_mode=decoder.neighbour_mode)
    grid = outputs(render_grid(decoder, latent, plan))[0]
    points = outputs(render_points(decoder, latent, *grid_points((40, 56), batch=2)))[0]
    check_close(points.reshape(grid.shape), grid, 1e-5)


@both
def test_images_of_a_batch_may_have_a_cell_each(name, encoded, rng):
    decoder = small(name)
    latent = encode(decoder, *encoded)
    coordinates = rng.uniform(-1, 1, (2, 30, 2)).astype(np.float32)
    cells = np.float32([[[0.2, 0.1]], [[0.05, 0.3]]]).repeat(30, axis=1)
    found = outputs(render_points(decoder, latent, coordinates, cells))[0]
    for i in (0, 1):
        one = slice(i, i + 1)
        alone = outputs(render_points(decoder, latent[one], coordinates[one], cells[one]))[0]
        check_close(found[one], alone, 1e-5)


@both
def test_projected_features_serve_every_size(name, encoded):
    decoder = small(name)
    projected, image = project(decoder, encode(decoder, *encoded))
    for size in ((10, 14), (19, 26), (4, 3)):
        plan = grid_plan((5, 7), size, neighbour_mode=decoder.neighbour_mode)
        cells = [axis.cells[:1].reshape(1, 1, 1, 1) for axis in (plan.rows, plan.columns)]
        found = outputs(render_band(decoder, decoder.project_cell(projected, *cells), image, plan))[
            0
        ]
        expected = outputs(render_grid(decoder, encode(decoder, *encoded), plan))[0]
        np.testing.assert_array_equal(found, expected)


@both
@pytest.mark.parametrize("argument", ["hidden", "latent_hidden"])
@pytest.mark.parametrize("widths", [[], [8, 0]])
def test_impossible_widths_are_refused(name, argument, widths):
    check_refused(
        lambda: small(name, **{argument: widths}), argument, "positive widths", str(widths)
    )


@pytest.mark.parametrize(
    ("decoder", "argument"), [(LMLIIF, "code"), (LMLTE, "waves"), (LMLTE, "render_waves")]
)
def test_impossible_counts_are_refused(decoder, argument):
    check_refused(lambda: decoder(**{argument: 0}), f"{argument} must be at least 1", "received 0")


@pytest.mark.parametrize("name", ["lte", *SMALL])
@pytest.mark.parametrize("max_scale", [0, -4, float("nan"), float("inf")])
def test_an_impossible_largest_scale_is_refused(name, max_scale):
    check_refused(
        lambda: DECODERS.build({"name": name, "max_scale": max_scale}),
        "max_scale must be a positive number or None",
        str(max_scale),
    )


# The formulas, one query and neighbour at a time.


def by_formula(decoder, features, size, colour):
    """The ensemble of `colour(row pixel, column pixel, offsets, cells)`, (H, W, 3) in float64."""
    plan = grid_plan(features.shape[:2], size, neighbour_mode=decoder.neighbour_mode)
    expected = np.zeros((*size, 3))
    for k, m in np.ndindex(*size):
        for i in range(plan.rows.indices.shape[-1]):
            for j in range(plan.columns.indices.shape[-1]):
                rows, columns = plan.rows, plan.columns
                offset = np.array([rows.offsets[k, i], columns.offsets[m, j]])
                cell = np.array([rows.cells[k], columns.cells[m]])
                value = colour((rows.indices[k, i], columns.indices[m, j]), offset, cell)
                expected[k, m] += rows.weights[k, i] * columns.weights[m, j] * value
    return expected


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel.astype(np.float64) + bias


def latent_network(decoder, first):
    x = np.maximum(first, 0)
    for layer in decoder.latent_mlp.dense:
        x = np.maximum(dense(x, layer), 0)
    return dense(x, decoder.latent_mlp.output_layer)


def render_network(decoder, first, values):
    """Layers of 8 and 6: 14 scales, then 14 shifts."""
    scales, shifts = values[:14], values[14:28]
    x = np.maximum(first * (1 + scales[:8]) + shifts[:8], 0)
    (layer,) = decoder.mlp.dense
    x = np.maximum(dense(x, layer) * (1 + scales[8:]) + shifts[8:], 0)
    return dense(x, decoder.mlp.output_layer)


def axes(layer):
    return [kernel.astype(np.float64) for kernel in layer.get_weights()]


@pytest.mark.parametrize("size", [(10, 14), (3, 4)])
@pytest.mark.parametrize("local_ensemble", [True, False])
@pytest.mark.parametrize("flags", [{}, {"cell_decode": False}, {"feat_unfold": False}])
def test_lm_liif_is_its_formula(size, local_ensemble, flags, encoded):
    decoder = small("lm-liif", local_ensemble=local_ensemble, **flags)
    features = encoded[0][0]
    kernel, bias = decoder.projection.get_weights()
    if decoder.feat_unfold:
        first = unfolded(features) @ unfolded_kernel(kernel).astype(np.float64) + bias
    else:
        first = features @ kernel[0, 0].astype(np.float64) + bias
    position = axes(decoder.position)

    def colour(pixel, offset, cell):
        latent, parts = first[pixel], [offset]
        if decoder.cell_decode:
            latent = latent + sum(c * k[0] for c, k in zip(cell, axes(decoder.cell), strict=True))
            parts.append(cell)
        values = latent_network(decoder, latent)
        terms = sum(
            part[axis] * position[axis][p] for p, part in enumerate(parts) for axis in (0, 1)
        )
        return render_network(decoder, dense(values[28:], decoder.code_layer) + terms, values)

    latent = encode(decoder, *encoded)
    plan = grid_plan((5, 7), size, neighbour_mode=decoder.neighbour_mode)
    found = outputs(render_grid(decoder, latent, plan))[0][0]
    check_close(found, by_formula(decoder, features, size, colour), 1e-5)


@pytest.mark.parametrize("size", [(10, 14), (3, 4)])
@pytest.mark.parametrize("local_ensemble", [True, False])
def test_lm_lte_is_its_formula(size, local_ensemble, encoded):
    decoder = small("lm-lte", local_ensemble=local_ensemble, skip=False)
    features = encoded[0][0]
    amplitude, frequency = (
        unfolded(features) @ unfolded_kernel(kernel).astype(np.float64) + bias
        for kernel, bias in (
            decoder.amplitude.get_weights(),
            decoder.frequency.get_weights(),
        )
    )

    def waves(frequencies, layer, offset, cell):
        rows, columns = np.split(frequencies, 2)
        phases = sum(c * k[0] for c, k in zip(cell, axes(layer), strict=True))
        phase = np.pi * (rows * offset[0] + columns * offset[1] + phases)
        return np.concatenate([np.cos(phase), np.sin(phase)])

    def colour(pixel, offset, cell):
        seen = amplitude[pixel] * waves(frequency[pixel], decoder.phase, (1, 1), cell)
        values = latent_network(decoder, dense(seen, decoder.latent_first))
        x = values[28:34] * waves(values[34:], decoder.render_phase, offset, cell)
        return render_network(decoder, dense(x, decoder.first), values)

    latent = encode(decoder, *encoded)
    plan = grid_plan((5, 7), size, neighbour_mode=decoder.neighbour_mode)
    found = outputs(render_grid(decoder, latent, plan))[0][0]
    check_close(found, by_formula(decoder, features, size, colour), 1e-4)
