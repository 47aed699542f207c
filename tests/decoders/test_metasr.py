import numpy as np
import pytest
from checks import check_close, grid_points, outputs, unfolded, unfolded_kernel

from tfsr.decoders import DECODERS, MetaSR
from tfsr.errors import InvalidArgument
from tfsr.geometry import grid_plan
from tfsr.rendering import render_grid, render_points

# Sizes whose rows and columns have scales of their own; the rows' is the one used.
SIZES = [((5, 7), (10, 14)), ((5, 7), (19, 26)), ((9, 8), (4, 5)), ((5, 7), (15, 7))]
sizes = pytest.mark.parametrize(("lr_size", "size"), SIZES)

# 256 hidden values and 1728 filter numbers; the position is 2 values or 40, and 1 / scale is
# one more except where the integrated encoding tells it.
LAST = 256 * 1728 + 1728
ENCODINGS = {
    "none": ({}, (2 + 1) * 256 + 256 + LAST, 1e-5),
    "positional": ({"encoding": "positional"}, (40 + 1) * 256 + 256 + LAST, 1e-3),
    "integrated": ({"encoding": "integrated"}, 40 * 256 + 256 + LAST, 1e-3),
    "L=4": ({"encoding": "integrated", "bandwidth": 4}, 16 * 256 + 256 + LAST, 1e-4),
}
every_encoding = pytest.mark.parametrize(
    "arguments", [arguments for arguments, *_ in ENCODINGS.values()], ids=ENCODINGS
)


def metasr(channels=6, **arguments):
    decoder = MetaSR(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


def rendered(decoder, latent, size):
    plan = grid_plan(latent.shape[1:3], size, neighbour_mode=decoder.neighbour_mode)
    return outputs(render_grid(decoder, latent, plan))[0][0]


def latent_of(rng, size, channels=6):
    return rng.normal(size=(1, *size, channels)).astype(np.float32)


def corners(lr, hr):
    """LR pixel of each output pixel's first edge, and the edge's place in it, in LR pixels."""
    k = np.arange(hr)
    return k * lr // hr, (k * lr % hr) / hr


def position(arguments, fraction, scale):
    """One axis's position in LR pixels as the hyper-network sees it, (n, values)."""
    encoding = arguments.get("encoding", "none")
    if encoding == "none":
        return fraction[:, None]
    frequencies = 2.0 ** np.arange(arguments.get("bandwidth", 10))
    phase = fraction[:, None] * frequencies
    # The mean over a pixel with radius 1 / scale: np.sinc(x) is sin(pi x) / (pi x).
    fade = np.sinc(frequencies / scale / np.pi) if encoding == "integrated" else 1
    return np.stack([np.sin(phase) * fade, np.cos(phase) * fade], axis=-1).reshape(len(phase), -1)


def predicted_filters(decoder, v):
    """The published hyper-network: (n, inputs) to filters (n, 9 x channels, 3)."""
    row_kernel, column_kernel, bias = decoder.basis_layer.position.get_weights()
    kernels = [row_kernel, column_kernel]
    if decoder.encoding != "integrated":
        kernels += decoder.basis_layer.scale.get_weights()
    hidden = np.maximum(v @ np.concatenate(kernels) + bias, 0)
    last = unfolded_kernel(decoder.projection.get_weights()[0])
    # (taps, 3 colours x (hidden, then bias)) to the published layer (hidden, taps x 3) and bias.
    last = last.reshape(len(last), 3, decoder.hidden + 1).transpose(2, 0, 1)
    flat = last.reshape(decoder.hidden + 1, -1)
    return (hidden @ flat[:-1] + flat[-1]).reshape(len(v), -1, 3)


@sizes
@pytest.mark.parametrize(("arguments", "_", "tolerance"), ENCODINGS.values(), ids=ENCODINGS)
def test_it_is_the_filter_that_would_have_been_predicted(
    rng, lr_size, size, arguments, _, tolerance
):
    decoder = metasr(**arguments)
    latent = latent_of(rng, lr_size)
    (rows, row_fraction), (columns, column_fraction) = map(corners, lr_size, size)
    scale = size[0] / lr_size[0], size[1] / lr_size[1]
    row_position = position(arguments, row_fraction, scale[0])
    column_position = position(arguments, column_fraction, scale[1])
    parts = [np.repeat(row_position, size[1], axis=0), np.tile(column_position, (size[0], 1))]
    if decoder.encoding != "integrated":
        parts.append(np.full((size[0] * size[1], 1), 1 / scale[0]))
    filters = predicted_filters(decoder, np.concatenate(parts, axis=-1))

    features = unfolded(np.float64(latent[0]))[rows][:, columns].reshape(len(filters), 1, -1)
    expected = np.matmul(features, filters).reshape(*size, 3)
    check_close(rendered(decoder, latent, size), expected, tolerance)


def test_filters_are_as_large_as_published():
    filters = predicted_filters(metasr(64), np.ones((2, 3)))
    assert filters.shape == (2, 576, 3)


@pytest.mark.parametrize(("arguments", "expected", "_"), ENCODINGS.values(), ids=ENCODINGS)
def test_parameter_counts(arguments, expected, _):
    assert metasr(64, **arguments).count_params() == expected


def test_the_published_decoder():
    assert metasr(64).count_params() == 445_120


def test_ipe_metasr_is_metasr_with_the_integrated_encoding():
    decoder = DECODERS.build("ipe-metasr")
    assert isinstance(decoder, MetaSR)
    assert (decoder.encoding, decoder.bandwidth, decoder.hidden) == ("integrated", 10, 256)


@every_encoding
def test_every_encoding_outputs_points(rng, arguments):
    decoder = metasr(**arguments)
    colours = outputs(render_points(decoder, latent_of(rng, (5, 7)), *grid_points((19, 26))))[0]
    assert colours.shape == (1, 19 * 26, 3)
    assert np.isfinite(colours).all() and colours.std() > 0


def test_the_output_is_linear_in_the_features(rng):
    decoder = metasr()
    one, other = (latent_of(rng, (5, 7)) for _ in range(2))
    both = rendered(decoder, 2 * one - other, (19, 26))
    parts = 2 * rendered(decoder, one, (19, 26)) - rendered(decoder, other, (19, 26))
    check_close(both, parts, 1e-5)


def test_kernels_start_in_the_range_of_the_published_layers():
    decoder = metasr(64)
    first = [*decoder.basis_layer.position.get_weights(), *decoder.basis_layer.scale.get_weights()]
    for weights, fan_in in ((first, 3), (decoder.projection.get_weights(), 256)):
        largest = max(np.abs(values).max() for values in weights)
        assert 0.98 < largest * np.sqrt(fan_in) <= 1 + 1e-6


def test_a_hyper_network_without_hidden_values_is_refused():
    with pytest.raises(InvalidArgument, match="hidden must be positive; received 0"):
        MetaSR(hidden=0)


def test_an_unknown_encoding_is_refused():
    with pytest.raises(InvalidArgument, match="Did you mean 'positional'"):
        MetaSR(encoding="position")
