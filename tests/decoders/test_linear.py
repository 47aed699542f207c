"""Linear decoders: published formulas in NumPy, one convolution, tiles and switches."""

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
import tensorflow as tf
import tiny
from cases import quick
from checks import check_close, check_refused, encode, grid_points, outputs

from tfsr.decoders import DECODERS, OPE, ARASFSRLinear, LinearDecoder, Thera
from tfsr.geometry import grid_plan
from tfsr.images import to_float
from tfsr.inference import ModelUpscaler
from tfsr.models import ImplicitSR
from tfsr.rendering import make_tail, render_grid, render_integer_scale
from tfsr.rendering.maps import join_latent

CHANNELS = 6
ENCODER = {"name": "edsr", "features": CHANNELS, "blocks": 1, "residual_scale": 1.0}
SMALL_ARASFSR = {
    "name": "arasfsr-linear",
    "hidden": [8, 8],
    "functions": 3,
    "tokens": 3,
    "frequency_features": 4,
    "frequency_blocks": 1,
}
DECODERS_OF = {
    "thera": {"name": "thera", "waves": 5, "max_frequency": 8.0},
    "ope": {"name": "ope", "terms": 4},
    "ope-1x1": {"name": "ope", "terms": 4, "kernel_size": 1},
    "gb-lsr": {"name": "gb-lsr", "terms": 6},
    "arasfsr-linear": SMALL_ARASFSR,
    "arasfsr-linear-fourier": {**SMALL_ARASFSR, "basis": "fourier", "frequency": False},
}
SKIPS = ("bilinear", "nearest", "none")
# No code depends on all three at once, so each name has every skip, and half of the ensembles: the
# pairs of two are complete.
COMBINATIONS = [
    (name, (i + j) % 2 == 0, skip)
    for (i, name), (j, skip) in product(enumerate(DECODERS_OF), enumerate(SKIPS))
]
# A grid's plan rounds offsets, which high frequencies multiply; one convolution has exact ones.
TOLERANCES = {"gb-lsr": 1e-4}
TOLERANCE = 5e-5
LR_SIZES = [(5, 7), (1, 1), (1, 6)]
SCALES = [(2, 2), (3, 3), (4, 2), (1, 3)]

every_combination = pytest.mark.parametrize(
    ("name", "ensemble", "skip"),
    COMBINATIONS,
    ids=[f"{name}-{'4' if four else '1'}-{skip}" for name, four, skip in COMBINATIONS],
)


@cache
def model(name, ensemble, skip):
    """Shared: do not change it."""
    arguments = DECODERS_OF[name]
    made = ImplicitSR(ENCODER, {**arguments, "local_ensemble": ensemble, "skip": skip})
    rng = np.random.default_rng(1)
    for weight in made.decoder.weights:
        # Biases are zero at the start, and would hide where they are left out.
        if weight.name.endswith("bias"):
            weight.assign(rng.normal(size=weight.shape).astype(np.float32))
    return made


def grid_of(decoder, latent, size):
    """The image of a latent in [-1, 1], pixel by pixel."""
    plan = grid_plan(latent.shape[1:3], size, neighbour_mode=decoder.neighbour_mode)
    return outputs(render_grid(decoder, latent, plan))[0]


def size_at(lr_size, scales):
    return tuple(n * scale for n, scale in zip(lr_size, scales, strict=True))


# Published formulas.


def reference(decoder, features, size, terms):
    """A Fourier series around each LR pixel, four of them blended, query by query in float64.

    Args:
        decoder: an `OPE`; only its convolution is used.
        features: (h, w, channels).
        size: (H, W).
        terms: a function of an offset, an LR pixel being 2 wide, to the series' terms.
    """
    kernel, bias = (np.float64(weights) for weights in decoder.projection.get_weights())
    half = len(kernel) // 2
    padded = np.pad(np.float64(features), ((half, half), (half, half), (0, 0)))
    height, width = features.shape[:2]
    image = np.zeros((*size, 3))
    for row, column in np.ndindex(*size):
        # The query's place in LR pixels, the first one's centre being 0.
        y = (row + 0.5) * height / size[0] - 0.5
        x = (column + 0.5) * width / size[1] - 0.5
        total = 0.0
        for i, j in product((0, 1), repeat=2):
            top, left = math.floor(y) + i, math.floor(x) + j
            # The weight is the area between the query and the opposite pixel.
            weight = abs(y - (math.floor(y) + 1 - i)) * abs(x - (math.floor(x) + 1 - j))
            top, left = min(max(top, 0), height - 1), min(max(left, 0), width - 1)
            taps = padded[top : top + len(kernel), left : left + len(kernel)]
            coefficients = np.einsum("ijc,ijcn->n", taps, kernel) + bias
            u, v = np.array(terms(2 * (y - top))), np.array(terms(2 * (x - left)))
            total = total + weight * (coefficients.reshape(3, -1) @ np.outer(u, v).ravel())
            image[row, column] = total
    return image


def ope_terms(x):
    """[1, sqrt 2 cos(i w x), sqrt 2 sin(i w x)] up to i = 3, w = pi / 2."""
    found = [1.0]
    for i in (1, 2, 3):
        found += [math.sqrt(2) * wave(i * math.pi / 2 * x) for wave in (math.cos, math.sin)]
    return found


def gb_lsr_terms(raw):
    """16 terms, the last cosine without its sine: [1, cos(pi x s), sin(pi x s), ...]."""
    bandwidth = math.log1p(math.exp(raw))

    def terms(x):
        found = [1.0]
        for i in range(1, 9):
            found += [wave(i * math.pi * x * bandwidth) for wave in (math.cos, math.sin)]
        return found[:16]

    return terms


PUBLISHED_SIZES = [((5, 7), (10, 14)), ((4, 3), (11, 10)), ((1, 3), (2, 7)), ((5, 4), (3, 4))]
published_sizes = pytest.mark.parametrize(("lr_size", "size"), PUBLISHED_SIZES)


def built(name, **arguments):
    decoder = DECODERS.build({"name": name, **arguments})
    decoder.build((None, None, None, CHANNELS))
    return decoder


def with_biases(decoder, rng):
    kernel, bias = decoder.projection.get_weights()
    decoder.projection.set_weights([kernel, rng.normal(size=bias.shape).astype(np.float32)])
    return decoder


@published_sizes
def test_ope_is_the_published_formula(rng, lr_size, size):
    decoder = with_biases(built("ope"), rng)
    features = rng.normal(size=(*lr_size, CHANNELS)).astype(np.float32)
    expected = reference(decoder, features, size, ope_terms)
    check_close(grid_of(decoder, features[None], size)[0], expected, 1e-5)


@published_sizes
def test_gb_lsr_is_the_published_formula(rng, lr_size, size):
    decoder = with_biases(built("gb-lsr"), rng)
    raw = 0.3
    decoder.basis_layer.set_weights([np.float32(raw)])
    features = rng.normal(size=(*lr_size, CHANNELS)).astype(np.float32)
    expected = reference(decoder, features, size, gb_lsr_terms(raw))
    check_close(grid_of(decoder, features[None], size)[0], expected, 1e-4)


def test_ope_at_an_integer_scale_is_the_published_formula_at_the_edges_too(rng):
    decoder = with_biases(built("ope"), rng)
    features = rng.normal(size=(4, 5, CHANNELS)).astype(np.float32)
    expected = reference(decoder, features, (12, 10), ope_terms)
    plan = grid_plan((4, 5), (12, 10), neighbour_mode=decoder.neighbour_mode)
    check_close(outputs(render_integer_scale(decoder, features[None], plan))[0][0], expected, 1e-5)


def test_the_published_systems_arguments():
    ope, gb_lsr = (built(name).get_config() for name in ("ope", "gb-lsr"))
    assert (ope["terms"], ope["frequency"], ope["kernel_size"]) == (7, math.pi / 2, 3)
    assert ope["orthonormal"] and not ope["trainable_frequency"]
    assert (gb_lsr["terms"], gb_lsr["frequency"], gb_lsr["kernel_size"]) == (16, math.pi, 1)
    assert gb_lsr["trainable_frequency"] and not gb_lsr["orthonormal"]
    for config in (ope, gb_lsr):
        assert config["local_ensemble"] and config["skip"] == "none"


# One convolution.


@pytest.mark.parametrize("scales", SCALES, ids=str)
@every_combination
def test_one_convolution_is_the_grid(name, ensemble, skip, scales, rng):
    decoder = model(name, ensemble, skip).decoder
    for lr_size in LR_SIZES:
        features = rng.normal(size=(2, *lr_size, CHANNELS)).astype(np.float32)
        image = rng.uniform(-1, 1, (2, *lr_size, 3)).astype(np.float32)
        latent = encode(decoder, features, image)
        size = size_at(lr_size, scales)
        plan = grid_plan(lr_size, size, neighbour_mode=decoder.neighbour_mode)
        at_once = outputs(render_integer_scale(decoder, latent, plan))[0]
        assert at_once.shape == (2, *size, 3)
        check_close(at_once, grid_of(decoder, latent, size), TOLERANCES.get(name, TOLERANCE))


@pytest.mark.parametrize(
    ("name", "ensemble", "skip"),
    quick([case for case in COMBINATIONS if case[2] == "bilinear"], COMBINATIONS),
)
def test_upscaling_is_the_grid(name, ensemble, skip, rng):
    sr = model(name, ensemble, skip)
    for lr_size, scales in zip(LR_SIZES, SCALES[1:], strict=True):
        image = rng.random((1, *lr_size, 3), dtype=np.float32)
        size = size_at(lr_size, scales)
        expected = outputs(sr.render(sr.encode(image), sr.plan(lr_size, size)))[0]
        check_close(sr.upscale(image, size), expected, TOLERANCES.get(name, TOLERANCE))


def operations(function, *inputs):
    """The type of each operation of a function's graph, as often as it stands there."""
    graph = (
        tf.function(function, autograph=False).get_concrete_function(*inputs).graph.as_graph_def()
    )
    nodes = [graph.node, *(function.node_def for function in graph.library.function)]
    return [node.op for part in nodes for node in part]


@every_combination
def test_an_integer_scale_is_one_convolution_and_one_of_the_skip(name, ensemble, skip):
    sr = model(name, ensemble, skip)
    decoder, size = sr.decoder, (4, 5)

    def latent_network(image):
        return sr.encode_parts(image)[0]

    def whole(image):
        features, normalised = sr.encode_parts(image)
        plan = grid_plan(size, (8, 10), neighbour_mode=decoder.neighbour_mode)
        return render_integer_scale(decoder, join_latent(decoder, features, normalised), plan)

    spec = tf.TensorSpec((1, *size, 3))
    found = operations(whole, spec)
    convolutions = found.count("Conv2D") - operations(latent_network, spec).count("Conv2D")
    # What makes coefficients where it is no linear layer (Thera's field), or where at the edges its
    # 3x3 kernel does not merge with the ensemble's; the convolution of the bias' weights.
    own = 0 if decoder.merges_last_layer else 1
    bias = int(ensemble and decoder.merges_last_layer and decoder.last_layer.use_bias)
    assert convolutions == 1 + (skip != "none") + own + bias
    assert found.count("DepthToSpace") == 1
    assert not [op for op in found if "Gather" in op]


def test_arasfsr_linear_needs_one_convolution_beyond_its_latent_network():
    """Of the registered name with its defaults, by number: nothing but the tail and the skip."""
    sr = ImplicitSR(ENCODER, {"name": "arasfsr-linear", "frequency": False})
    assert sr.decoder.merges_last_layer and not sr.decoder.last_layer.use_bias
    tail = make_tail(sr.decoder, (4, 4))
    assert tuple(tail.kernel.shape) == (3, 3, 96, 48)
    assert tuple(tail.skip.shape) == (3, 3, 3, 48)
    assert tail.bias is None


@pytest.mark.parametrize("name", quick(["arasfsr-linear"], DECODERS_OF))
def test_bands_at_large_integer_scales_are_the_convolution(name, rng):
    """More sub-pixels than one convolution makes: bands of rows, and the same image."""
    sr = model(name, True, "bilinear")
    image = rng.random((1, 3, 2, 3), dtype=np.float32)
    at_once = render_integer_scale(sr.decoder, sr.encode(image), sr.plan((3, 2), (27, 18)))
    expected = 0.5 * outputs(at_once)[0] + 0.5
    check_close(sr.upscale(image, scale=9), expected, TOLERANCES.get(name, TOLERANCE))


# Arguments.


@pytest.mark.parametrize("name", DECODERS_OF)
def test_an_unknown_skip_is_refused_with_what_is_accepted(name):
    check_refused(
        lambda: DECODERS.build({**DECODERS_OF[name], "skip": "bilinaer"}),
        "skip must be one of bilinear, nearest, none",
        "'bilinaer'",
        "Did you mean 'bilinear'?",
    )


@pytest.mark.parametrize(
    ("cls", "arguments", "words"),
    [
        (OPE, {"kernel_size": 2}, ("kernel_size must be odd", "received 2")),
        (OPE, {"kernel_size": 0}, ("kernel_size must be odd", "received 0")),
        (OPE, {"terms": 0}, ("terms must be at least 1",)),
        (Thera, {"mean": (0.5, 0.5)}, ("mean must be 3 numbers", "[0.5, 0.5]")),
        (Thera, {"waves": 0}, ("waves must be at least 1",)),
        (ARASFSRLinear, {"basis": "haet"}, ("heat, fourier", "Did you mean 'heat'?")),
        (ARASFSRLinear, {"activation": "tanh"}, ("relu, gelu, silu", "'tanh'")),
        (ARASFSRLinear, {"functions": 0}, ("at least 1; received 0",)),
    ],
)
def test_bad_arguments_are_refused_with_what_is_accepted(cls, arguments, words):
    check_refused(lambda: cls(**arguments), *words)


def test_a_linear_decoder_must_say_what_its_coefficients_are():
    class Nothing(LinearDecoder):
        pass

    basis = built("ope").basis_layer
    decoder = Nothing(basis, local_ensemble=True, skip="none")
    with pytest.raises(NotImplementedError, match="Nothing must define coefficients"):
        decoder.coefficients(None)


@pytest.mark.parametrize("name", quick(["arasfsr-linear"], DECODERS_OF))
def test_mixed_precision_returns_float32(name, rng):
    exact = model(name, True, "bilinear")
    arguments = {**DECODERS_OF[name], "skip": "bilinear", "local_ensemble": True}
    mixed = ImplicitSR(ENCODER, arguments, dtype="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    image = rng.random((1, 5, 7, 3), dtype=np.float32)
    for size in ((10, 14), (11, 17)):
        found = mixed.upscale(image, size)
        assert found.dtype == np.float32
        expected = exact.upscale(image, size)
        # The skip is float32 throughout, so the whole cannot be far from it.
        assert np.abs(found - expected).max() < 0.1 * max(1.0, np.abs(expected).max())
        plan = mixed.plan((5, 7), size)
        assert mixed.render(mixed.encode(image), plan).dtype == "float32"
    points = {
        "image": image,
        **dict(zip(("coordinates", "cell"), grid_points((8, 9)), strict=True)),
    }
    assert mixed(points).dtype == "float32"


# Thera.


def test_thera_is_a_heat_field_of_the_nearest_pixel(rng):
    """sum_j W_j exp(-|nu_j|^2 k t) sin(nu_j . x + phi_j), and the nearest pixel of the input."""
    decoder = built("thera", waves=5, mean=[0.2, 0.3, 0.4])
    kernel, bias = decoder.field.get_weights()
    decoder.field.set_weights([kernel, rng.normal(size=bias.shape).astype(np.float32)])
    features = rng.normal(size=(4, 5, CHANNELS)).astype(np.float32)
    image = rng.uniform(-1, 1, (4, 5, 3)).astype(np.float32)
    latent = encode(decoder, features[None], image[None])
    size = (10, 14)
    found = grid_of(decoder, latent, size)[0]

    kernel, bias = (np.float64(weights) for weights in decoder.field.get_weights())
    frequencies, diffusivity = (np.float64(w) for w in decoder.basis_layer.get_weights())
    time = (4 / size[0]) ** 2
    expected = np.zeros((*size, 3))
    for row, column in np.ndindex(*size):
        y, x = (row + 0.5) * 4 / size[0] - 0.5, (column + 0.5) * 5 / size[1] - 0.5
        top, left = math.floor(y + 0.5), math.floor(x + 0.5)
        field = features[top, left] @ kernel[0, 0] + bias
        amplitudes, phases = field[:15].reshape(5, 3), field[15:]
        waves = np.sin(frequencies.T @ [y - top, x - left] + phases)
        fade = np.exp(-(frequencies**2).sum(axis=0) * diffusivity * time)
        mean = 2 * np.array([0.2, 0.3, 0.4])
        expected[row, column] = (fade * waves) @ amplitudes + image[top, left] + mean
    check_close(found, expected, 5e-5)


def test_theras_local_ensemble_blends_the_four_fields(rng):
    """Against fields of single pixels, each taken as an image of its own."""
    decoder = built("thera", waves=5, max_frequency=6.0, local_ensemble=True, skip="none")
    assert decoder.neighbour_mode == "ensemble"
    features = rng.normal(size=(1, 2, 2, CHANNELS)).astype(np.float32)
    found = grid_of(decoder, features, (8, 8))[0]
    # In the middle all four pixels count, each at its own offset.
    kernel, bias = (np.float64(weights) for weights in decoder.field.get_weights())
    frequencies, diffusivity = (np.float64(w) for w in decoder.basis_layer.get_weights())
    fade = np.exp(-(frequencies**2).sum(axis=0) * diffusivity / 16)
    for row, column in product(range(2, 6), repeat=2):
        y, x = (row + 0.5) / 4 - 0.5, (column + 0.5) / 4 - 0.5
        expected = 0.0
        for top, left in product((0, 1), repeat=2):
            field = features[0, top, left] @ kernel[0, 0] + bias
            waves = np.sin(frequencies.T @ [y - top, x - left] + field[15:])
            weight = abs(y - (1 - top)) * abs(x - (1 - left))
            expected = expected + weight * ((fade * waves) @ field[:15].reshape(5, 3))
        np.testing.assert_allclose(found[row, column], expected, atol=1e-5)


# Linear ARASFSR.


def arasfsr(**arguments):
    return built(**{**SMALL_ARASFSR, **arguments})


LAYERS = {"network", "projection", "basis", "modulation", "frequency_estimation"}


def layers_of(decoder):
    """The layers that have weights: the first parts of their weights' paths, without numbers."""
    names = {weight.path.split("/")[1] for weight in decoder.weights}
    return {name.rstrip("_0123456789").replace("conv", "network") for name in names}


@pytest.mark.parametrize(
    ("switch", "missing"),
    [
        ({}, set()),
        ({"frequency": False}, {"frequency_estimation"}),
        ({"global_coordinates": False}, {"modulation"}),
        ({"local_ensemble": False}, set()),
        ({"skip": "none"}, set()),
        # Its frequencies are not trained.
        ({"basis": "fourier"}, {"basis"}),
    ],
    ids=str,
)
def test_each_switch_takes_away_its_own_layers(switch, missing):
    assert layers_of(arasfsr(**switch)) == LAYERS - missing


def test_the_switches_numbers():
    whole, plain = arasfsr(), arasfsr(frequency=False)
    # The tokens' own network, and the three channels that they add to the first layer.
    tokens = whole.frequency_estimation.count_params() + 9 * 3 * 8
    assert whole.count_params() - plain.count_params() == tokens
    unmodulated = arasfsr(global_coordinates=False)
    assert whole.count_params() - unmodulated.count_params() == 2 * 2 * (13 * 8 + 8)
    assert unmodulated.latent_coordinates is False and whole.latent_coordinates is True
    # 3 terms an axis instead of a sine and a cosine of 3 waves.
    assert arasfsr(basis="fourier").basis_layer.coefficients == 3 * 9
    assert whole.basis_layer.coefficients == 3 * 2 * 3
    assert arasfsr(local_ensemble=False).neighbour_mode == "nearest"
    assert plain.latent_halo == 0 and whole.latent_halo == whole.frequency_estimation.halo


@pytest.mark.parametrize(
    "switch",
    [
        {"frequency": False},
        {"global_coordinates": False},
        {"local_ensemble": False},
        {"skip": "none"},
        {"skip": "nearest"},
        {"basis": "fourier"},
        {"activation": "gelu"},
    ],
    ids=str,
)
def test_each_switch_changes_the_image(switch, rng):
    features = rng.normal(size=(1, 5, 7, CHANNELS)).astype(np.float32)
    image = rng.uniform(-1, 1, (1, 5, 7, 3)).astype(np.float32)
    whole, other = arasfsr(), arasfsr(**switch)
    known = {weight.path.split("/", 1)[1]: weight for weight in whole.weights}
    for weight in other.weights:
        same = known.get(weight.path.split("/", 1)[1])
        if same is not None and same.shape == weight.shape:
            weight.assign(same)
    pair = [grid_of(d, encode(d, features, image), (11, 15)) for d in (whole, other)]
    assert np.abs(pair[0] - pair[1]).max() > 1e-3


def test_the_modulation_knows_the_place_in_the_image(rng):
    """The same pixels all over: only the modulation tells the LR pixels apart."""
    features = np.ones((1, 6, 6, CHANNELS), np.float32)
    image = np.zeros((1, 6, 6, 3), np.float32)
    for switch in (True, False):
        decoder = arasfsr(frequency=False, global_coordinates=switch)
        latent = outputs(decoder.latent(features, image))[0][0, 1:-1, 1:-1]
        assert (np.ptp(latent, axis=(0, 1)).max() > 1e-3) == switch


@pytest.mark.parametrize("frequency", [True, False])
@pytest.mark.parametrize("scale", quick([2.7], [2, 3, 2.7, 1.1]))
def test_tiles_of_a_modulated_image_are_the_whole(frequency, scale):
    """Each tile must be modulated by its place in the whole image, not by its own coordinates."""
    sr = ImplicitSR(ENCODER, {**SMALL_ARASFSR, "frequency": frequency})
    assert sr.decoder.global_coordinates
    image = to_float(tiny.image(41, 37))
    size = tuple(round(n * scale) for n in (41, 37))
    whole = sr.upscale(image[None], size)[0]
    upscaler = ModelUpscaler(sr)
    # Room for the halo and a few pixels beside it.
    upscaler.renderer.lr_pixels = (2 * sr.halo + 12) ** 2
    assert upscaler.renderer.lr_pixels < 41 * 37
    calls, render = [], upscaler.renderer.render

    def counted(lr, window):
        calls.append(window)
        return render(lr, window)

    upscaler.renderer.render = counted
    tiles = upscaler(image, size)
    assert len(calls) > 1
    np.testing.assert_allclose(tiles, whole, atol=1e-5)
