import numpy as np
import pytest
from checks import check_close, outputs, unfolded, unfolded_kernel

from tfsr.decoders import DECODERS, LIIF
from tfsr.errors import InvalidArgument
from tfsr.geometry import grid_plan
from tfsr.rendering import render_grid, render_points
from tfsr.rendering.maps import project

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

# Decoder input: 576 features, 2 x 2 x octaves, 2 of the cell where it is decoded. With skips it is
# given to each of four hidden layers of 256: (576 + 40) x 256 + 256, three times
# (256 + 576 + 40) x 256 + 256, and 771.
IPE = {"encoding": "integrated", "cell_decode": False, "skip": True}
ENCODINGS = {
    "IPE": (IPE, 829_187),
    "L=4": ({**IPE, "bandwidth": 4}, 804_611),
    "L=16": ({**IPE, "bandwidth": 16}, 853_763),
    "plain PE": ({**IPE, "encoding": "positional", "cell_decode": True}, 831_235),
    "+cell": ({**IPE, "cell_decode": True}, 831_235),
    "-skip": ({**IPE, "skip": False}, 356_099),
    "no encoding": ({"skip": True}, 792_323),
}
every_encoding = pytest.mark.parametrize(
    "arguments", [arguments for arguments, _ in ENCODINGS.values()], ids=ENCODINGS
)


def liif(channels=6, **arguments):
    decoder = LIIF(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


def colours(decoder, latent, points, cell=0.1):
    coordinates = np.float32([points])
    cells = np.full_like(coordinates, cell)
    return outputs(render_points(decoder, latent, coordinates, cells))[0][0]


def changed(before, after):
    return np.abs(after - before).max(axis=-1) > 1e-6


@pytest.fixture
def latent(rng):
    return rng.normal(size=(1, 5, 7, 6)).astype(np.float32)


@pytest.mark.parametrize(("arguments", "inputs"), ABLATIONS.values(), ids=ABLATIONS)
def test_parameter_counts(arguments, inputs):
    assert liif(64, **arguments).count_params() == inputs * 256 + 256 + LATER_LAYERS


@pytest.mark.parametrize(("arguments", "_"), ABLATIONS.values(), ids=ABLATIONS)
def test_every_ablation_renders_an_image(latent, arguments, _):
    decoder = liif(**arguments)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    image = outputs(render_grid(decoder, latent, plan))[0]
    assert image.shape == (1, 19, 26, 3)
    assert np.isfinite(image).all() and image.std() > 0


def test_the_published_decoder():
    assert liif(64).count_params() == 346_883


@pytest.mark.parametrize(("arguments", "expected"), ENCODINGS.values(), ids=ENCODINGS)
def test_parameter_counts_with_encodings(arguments, expected):
    assert liif(64, **arguments).count_params() == expected


def test_ipe_liif_is_liif_with_integrated_encoding_and_skips():
    decoder = DECODERS.build("ipe-liif")
    assert isinstance(decoder, LIIF)
    assert (decoder.encoding, decoder.bandwidth) == ("integrated", 10)
    assert (decoder.skip, decoder.cell_decode, decoder.local_ensemble) == (True, False, True)
    assert decoder.hidden == (256, 256, 256, 256)


def encoded(arguments, offset, cell):
    """One axis's encoding of the offset, then the cell, (n, values); two to an LR pixel."""
    encoding, bandwidth = arguments.get("encoding", "none"), arguments.get("bandwidth", 10)
    phase = 2.0 ** np.arange(bandwidth) * np.float64(offset)
    # The mean over the pixel: np.sinc(x) is sin(pi x) / (pi x).
    fade = np.sinc(2.0 ** np.arange(bandwidth) * np.float64(cell) / 2 / np.pi)
    values = {
        "none": [offset],
        "positional": [np.sin(phase), np.cos(phase)],
        "integrated": [np.sin(phase) * fade, np.cos(phase) * fade],
    }[encoding]
    # Sine and cosine of each octave lie side by side.
    values = np.stack(values, axis=-1).reshape(len(offset), -1)
    return np.concatenate([values, cell], axis=-1) if arguments.get("cell_decode", True) else values


def transcribed(decoder, arguments, latent, row_axis, column_axis):
    """The output of the nearest pixel, from the whole decoder input in one array, in float64."""
    neighbours = row_axis.neighbour(0), column_axis.neighbour(0)
    rows, columns = (encoded(arguments, axis.offset, axis.cell) for axis in neighbours)
    features = unfolded(np.float64(latent[0]))
    features = features[neighbours[0].index][:, neighbours[1].index]
    height, width = features.shape[:2]
    rows = np.broadcast_to(rows[:, None], (height, width, rows.shape[-1]))
    columns = np.broadcast_to(columns, (height, width, columns.shape[-1]))
    x = np.concatenate([features, rows, columns], axis=-1).reshape(height * width, -1)

    def shares():
        for projection, position in zip(decoder.projections, decoder.positions, strict=True):
            kernel, bias = projection.get_weights()
            yield np.concatenate([unfolded_kernel(kernel), *position.get_weights()]), bias

    layers = list(shares())
    h = np.maximum(x @ layers[0][0] + layers[0][1], 0)
    for i, dense in enumerate(decoder.mlp.dense, start=1):
        if arguments.get("skip"):
            kernel = np.concatenate([*dense.get_weights(), layers[i][0]])
            h = np.maximum(np.concatenate([h, x], axis=-1) @ kernel + layers[i][1], 0)
        else:
            kernel, bias = dense.get_weights()
            h = np.maximum(h @ kernel + bias, 0)
    kernel, bias = decoder.mlp.output_layer.get_weights()
    return (h @ kernel + bias).reshape(height, width, 3)


@every_encoding
def test_one_neighbours_output_is_the_perceptron_on_the_whole_input(latent, arguments):
    decoder = liif(**arguments, local_ensemble=False)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    image = outputs(render_grid(decoder, latent, plan))[0][0]
    expected = transcribed(decoder, arguments, latent, plan.rows, plan.columns)
    check_close(image, expected, 2e-5)


@every_encoding
def test_the_ensemble_weighs_the_outputs_of_four_neighbours(latent, arguments):
    decoder = liif(**arguments)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    maps = outputs(project(decoder, latent)[0])
    expected = 0
    for i in (0, 1):
        rows = plan.rows.map(lambda values: values[:, None]).neighbour(i)
        for j in (0, 1):
            columns = plan.columns.neighbour(j)
            features = [m[:, rows.index[:, 0]][:, :, columns.index] for m in maps]
            features = decoder.add_row_terms(features, rows)
            colours = outputs(decoder.decode(features, rows, columns, None))[0]
            expected = expected + rows.weight * columns.weight * colours
    image = outputs(render_grid(decoder, latent, plan))[0]
    check_close(image, expected, 2e-5)


@pytest.mark.parametrize("arguments", [IPE, {}], ids=["IPE", "plain"])
def test_kernels_start_in_the_range_of_the_published_layers(arguments):
    decoder = liif(64, **arguments)
    inputs = 576 + (40 if arguments else 4)
    fan_ins = [inputs] + [256 + inputs if arguments else 256] * 3 + [256]
    weights = [[] for _ in fan_ins]
    for i, layers in enumerate(zip(decoder.projections, decoder.positions, strict=True)):
        weights[i] += [w for layer in layers for w in layer.get_weights()]
    for i, layer in enumerate([*decoder.mlp.dense, decoder.mlp.output_layer], start=1):
        weights[i] += layer.get_weights()
    for layer, fan_in in zip(weights, fan_ins, strict=True):
        largest = max(np.abs(values).max() for values in layer)
        assert 0.98 < largest * np.sqrt(fan_in) <= 1 + 1e-6


@pytest.mark.parametrize("encoding", ["positional", "integrated"])
def test_only_the_integrated_encoding_knows_the_cell_by_itself(latent, encoding):
    decoder = liif(encoding=encoding, cell_decode=False)
    points = [(0.1, 0.2), (-0.7, 0.9)]
    small, large = (colours(decoder, latent, points, cell) for cell in (0.02, 0.4))
    assert changed(small, large).all() == (encoding == "integrated")


def test_an_unknown_encoding_is_refused():
    with pytest.raises(InvalidArgument, match="Did you mean 'integrated'"):
        LIIF(encoding="integral")


@pytest.mark.parametrize("cell_decode", [True, False])
def test_the_cell_matters_where_it_is_decoded(latent, cell_decode):
    decoder = liif(cell_decode=cell_decode)
    points = [(0.1, 0.2), (-0.7, 0.9)]
    small, large = (colours(decoder, latent, points, cell) for cell in (0.02, 0.4))
    assert changed(small, large).all() == cell_decode
    assert changed(small, large).any() == cell_decode


@pytest.mark.parametrize(("feat_unfold", "span"), [(True, 1), (False, 0)])
def test_without_ensemble_the_nearest_pixel_is_taken_alone(latent, feat_unfold, span):
    decoder = liif(local_ensemble=False, feat_unfold=feat_unfold)
    points = [(0.1, 0.1), (-0.15, -0.1)]  # both in pixel (2, 3), whose centre is (0, 0)
    before = colours(decoder, latent, points)
    for row in range(5):
        for column in range(7):
            other = latent.copy()
            other[0, row, column] += 1
            near = max(abs(row - 2), abs(column - 3)) <= span
            assert (changed(before, colours(decoder, other, points)) == near).all()


def test_with_ensemble_the_four_around_the_query_output(latent):
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
