"""The bases of linear decoders, compared with formulas in NumPy."""

import math

import numpy as np
import pytest
from checks import check_config, check_refused, outputs

from tfsr.geometry import Neighbour
from tfsr.layers import FourierBasis, HeatBasis, LearnedBasis, weighted_sum

POINTS = (2, 5)

BASES = {
    "heat": (HeatBasis, {"waves": 4, "max_frequency": 5.0}),
    "one wave": (HeatBasis, {"waves": 1, "max_frequency": 12.0}),
    "ope": (FourierBasis, {"terms": 7}),
    "unpaired": (FourierBasis, {"terms": 4, "frequency": 1.5, "orthonormal": False}),
    "constant": (FourierBasis, {"terms": 1}),
    "trained": (FourierBasis, {"terms": 3, "frequency": 2.0, "trainable_frequency": True}),
    "learned": (LearnedBasis, {"functions": 6}),
    "positional": (LearnedBasis, {"functions": 6, "encoding": "positional", "bandwidth": 3}),
    "integrated": (LearnedBasis, {"functions": 6, "encoding": "integrated", "bandwidth": 3}),
}
SEPARABLE = [name for name, (cls, _) in BASES.items() if cls is not LearnedBasis]
every_basis = pytest.mark.parametrize("name", BASES)
separable = pytest.mark.parametrize("name", SEPARABLE)


def basis_of(name, **kwargs):
    cls, arguments = BASES[name]
    basis = cls(**arguments, **kwargs)
    basis.build(None)
    return basis


def neighbour(offset, cell):
    """The geometry of one axis that a basis uses."""
    return Neighbour(index=None, weight=None, offset=offset, coordinate=None, cell=cell)


@pytest.fixture
def axes(rng):
    """Rows and columns of a neighbour of some points."""
    offsets = rng.uniform(-2, 2, (2, *POINTS, 1)).astype(np.float32)
    cells = rng.uniform(0.2, 2, (2, *POINTS, 1)).astype(np.float32)
    return [neighbour(offset, cell) for offset, cell in zip(offsets, cells, strict=True)]


def values_of(basis, axes):
    return outputs(basis.values(*axes))[0]


# Independent formulas: coefficient by coefficient, in float64.


def heat_values(basis, rows, columns):
    """sin and cos of nu . x, damped by exp(-|nu|^2 k t), x in LR pixels, t = 1 / scale^2."""
    frequencies, diffusivity = (np.float64(weights) for weights in basis.get_weights())
    found = []
    for wave in (np.sin, np.cos):
        for _ in range(3):
            for row_frequency, column_frequency in frequencies.T:
                # Offsets and cells count two to an LR pixel.
                phase = row_frequency * rows.offset / 2 + column_frequency * columns.offset / 2
                time = (rows.cell / 2) ** 2
                squared = row_frequency**2 + column_frequency**2
                found.append(np.exp(-squared * diffusivity * time) * wave(phase))
    return np.concatenate(found, axis=-1)


def fourier_terms(x, count, frequency, factor):
    """1, then cosines and sines of multiples of the frequency; the last may be a cosine alone."""
    terms = [np.ones_like(x)]
    for n in range(1, count):
        for wave in (np.cos, np.sin):
            terms.append(factor * wave(n * frequency * x))
    return np.concatenate(terms, axis=-1)[..., :count]


def fourier_values(basis, rows, columns):
    frequency = basis.frequency
    if basis.trainable_frequency:
        frequency = frequency * np.log1p(np.exp(np.float64(basis.get_weights()[0])))
    factor = math.sqrt(2) if basis.orthonormal else 1.0
    u, v = (
        fourier_terms(np.float64(axis.offset), basis.terms, frequency, factor)
        for axis in (rows, columns)
    )
    products = (u[..., :, None] * v[..., None, :]).reshape(*POINTS, -1)
    return np.concatenate([products] * 3, axis=-1)


def learned_values(basis, rows, columns):
    """relu of a layer of both positions and 1 / scale of the rows, then the constant 1."""
    row_kernel, column_kernel, bias = basis.position.get_weights()
    encoded = []
    for axis in (rows, columns):
        offset, radius = np.float64(axis.offset) / 2, np.float64(axis.cell) / 2
        if basis.encoding == "none":
            encoded.append(offset)
            continue
        parts = []
        for octave in 2.0 ** np.arange(basis.bandwidth):
            fade = np.sinc(octave * radius / np.pi) if basis.encoding == "integrated" else 1
            parts += [np.sin(octave * offset) * fade, np.cos(octave * offset) * fade]
        encoded.append(np.concatenate(parts, axis=-1))
    hidden = encoded[0] @ row_kernel + encoded[1] @ column_kernel + bias
    if basis.encoding != "integrated":
        hidden = hidden + rows.cell / 2 * basis.scale.get_weights()[0]
    hidden = np.concatenate([np.maximum(hidden, 0), np.ones((*POINTS, 1))], axis=-1)
    return np.concatenate([hidden] * 3, axis=-1)


FORMULAS = {HeatBasis: heat_values, FourierBasis: fourier_values, LearnedBasis: learned_values}


@every_basis
def test_values_are_the_formulas(name, axes):
    basis = basis_of(name)
    expected = FORMULAS[type(basis)](basis, *axes)
    found = values_of(basis, axes)
    assert found.shape == expected.shape == (*POINTS, basis.coefficients)
    np.testing.assert_allclose(found, expected, atol=5e-6)


@pytest.mark.parametrize(
    ("name", "coefficients"),
    [("heat", 2 * 3 * 4), ("ope", 3 * 49), ("unpaired", 3 * 16), ("learned", 3 * (6 + 1))],
)
def test_each_coefficient_belongs_to_one_colour(name, coefficients):
    basis = basis_of(name)
    assert basis.coefficients == coefficients
    np.testing.assert_array_equal(basis.colours.sum(axis=1), 1)
    np.testing.assert_array_equal(basis.colours.sum(axis=0), coefficients / 3)


@separable
def test_rows_then_columns_give_the_same_colours(name, axes, rng):
    basis = basis_of(name)
    coefficients = rng.normal(size=(*POINTS, basis.coefficients)).astype(np.float32)
    coefficients /= math.sqrt(basis.coefficients)
    rows, columns = axes
    partial = basis.contract_rows(coefficients, rows)
    values = basis.column_values(columns)
    assert tuple(partial.shape) == tuple(values.shape) == (*POINTS, len(basis.column_colours))
    found = outputs(weighted_sum(partial, values, basis.column_colours))[0]
    together = outputs(weighted_sum(coefficients, basis.values(rows, columns), basis.colours))[0]
    np.testing.assert_allclose(found, together, atol=1e-6)
    # Independently of `weighted_sum` too.
    expected = (coefficients * FORMULAS[type(basis)](basis, *axes)) @ basis.colours
    np.testing.assert_allclose(together, expected, atol=1e-5)


@separable
def test_partial_sums_are_in_the_order_part_colour_function(name):
    basis = basis_of(name)
    functions = len(basis.column_colours) // (3 * basis.parts)
    expected = np.tile(np.repeat(np.eye(3), functions, axis=0), (basis.parts, 1))
    np.testing.assert_array_equal(basis.column_colours, expected)


def test_frequencies_start_uniform_in_a_disc():
    basis = HeatBasis(20_000, 7.0)
    basis.build(None)
    frequencies, diffusivity = basis.get_weights()
    radius = np.hypot(*frequencies)
    assert radius.max() <= 7.0 + 1e-5
    # Half of the disc's area lies within max / sqrt(2).
    assert abs((radius < 7 / math.sqrt(2)).mean() - 0.5) < 0.02
    assert np.abs(frequencies.mean(axis=1)).max() < 0.1
    assert diffusivity == pytest.approx(math.sqrt(math.log(4)) / (2 * math.pi**2))


def test_the_default_heat_basis_is_the_published_one():
    assert (HeatBasis().waves, HeatBasis().max_frequency) == (32, 16 * math.pi)


def test_a_small_scale_damps_waves(axes):
    basis = basis_of("heat")
    rows, columns = axes
    sharp, soft = (
        np.abs(values_of(basis, [neighbour(rows.offset, np.full_like(rows.cell, cell)), columns]))
        for cell in (0.1, 1.0)
    )
    assert (soft < sharp).all()


def test_a_trained_frequency_starts_where_it_was_set_and_moves(axes):
    trained = basis_of("trained")
    assert [weight.name for weight in trained.trainable_variables] == ["bandwidth"]
    fixed = FourierBasis(3, 2.0)
    fixed.build(None)
    assert fixed.weights == []
    np.testing.assert_allclose(values_of(trained, axes), values_of(fixed, axes), atol=1e-6)
    trained.set_weights([np.float32(2.0)])
    expected = fourier_values(trained, *axes)
    np.testing.assert_allclose(values_of(trained, axes), expected, atol=1e-5)
    assert not np.allclose(expected, values_of(fixed, axes), atol=0.1)


def test_an_orthonormal_series_is_orthonormal():
    # Over an LR pixel and its neighbours' halves: a period of the default frequency.
    x = np.float32((np.arange(400) + 0.5) / 100 - 2)[:, None]
    axis = neighbour(x, np.ones_like(x))
    basis = FourierBasis(7)
    basis.build(None)
    terms = np.float64(outputs(basis.column_values(axis))[0][:, :7])
    np.testing.assert_allclose(terms.T @ terms / len(x), np.eye(7), atol=1e-6)


@every_basis
def test_values_broadcast_over_rows_and_columns(name, rng):
    basis = basis_of(name)
    offsets = [rng.uniform(-1, 1, n).astype(np.float32) for n in (3, 4)]
    rows = neighbour(offsets[0].reshape(1, 3, 1, 1), np.full((1, 3, 1, 1), 0.5, np.float32))
    columns = neighbour(offsets[1].reshape(1, 1, 4, 1), np.full((1, 1, 4, 1), 0.5, np.float32))
    grid = outputs(basis.values(rows, columns))[0]
    assert grid.shape == (1, 3, 4, basis.coefficients)
    for i, j in np.ndindex(3, 4):
        one = [
            neighbour(np.float32([[offset]]), np.float32([[0.5]]))
            for offset in (offsets[0][i], offsets[1][j])
        ]
        np.testing.assert_allclose(grid[0, i, j], values_of(basis, one)[0], atol=1e-6)


@every_basis
def test_mixed_precision_computes_in_float32(name, axes):
    exact, mixed = basis_of(name), basis_of(name, dtype="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    assert mixed.values(*axes).dtype == "float32"
    np.testing.assert_array_equal(values_of(mixed, axes), values_of(exact, axes))
    if exact.separable:
        coefficients = np.ones((*POINTS, exact.coefficients), np.float32)
        assert mixed.contract_rows(coefficients, axes[0]).dtype == "float32"
        assert mixed.column_values(axes[1]).dtype == "float32"


@every_basis
def test_config(name):
    cls, arguments = BASES[name]
    check_config(cls(**arguments), arguments)


@pytest.mark.parametrize(
    ("cls", "arguments", "words"),
    [
        (HeatBasis, {"waves": 0}, ("waves must be at least 1", "received 0")),
        (HeatBasis, {"max_frequency": 0.0}, ("max_frequency must be above 0", "received 0.0")),
        (HeatBasis, {"max_frequency": math.inf}, ("max_frequency must be", "received inf")),
        (HeatBasis, {"max_frequency": math.nan}, ("max_frequency must be", "received nan")),
        (FourierBasis, {"terms": 0}, ("terms must be at least 1", "received 0")),
        (FourierBasis, {"frequency": -1.0}, ("frequency must be above 0", "received -1.0")),
        (FourierBasis, {"frequency": math.nan}, ("frequency must be above 0", "received nan")),
        (LearnedBasis, {"functions": 0}, ("must be positive", "received 0")),
        (LearnedBasis, {"encoding": "positinal"}, ("none, positional, integrated", "positional")),
    ],
)
def test_bad_arguments_are_refused_with_what_is_accepted(cls, arguments, words):
    check_refused(lambda: cls(**arguments), *words)
