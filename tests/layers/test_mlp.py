import numpy as np
import pytest
from checks import check_config, check_layer, outputs

from tfsr.errors import InvalidArgument
from tfsr.layers import MLP, LatentModulatedMLP, ModulatedMLP, SkipMLP, split_modulation

HIDDEN, INPUTS = (8, 5, 6), 30


def relu(x):
    return np.maximum(x, 0)


def test_mlp_is_a_layer(rng):
    x = rng.normal(size=(2, 5, 8)).astype(np.float32)
    check_layer(MLP, {"hidden": [8, 6, 4], "outputs": 2}, (x,), (2, 5, 2))


def test_mlp_applies_the_first_relu_and_no_last_one(rng):
    x = rng.normal(size=(50, 8)).astype(np.float32)
    layer = MLP((8, 6, 4))
    found = outputs(layer(x))[0]
    kernel1, bias1, kernel2, bias2, kernel3, bias3 = layer.get_weights()
    hidden = relu(relu(relu(x) @ kernel1 + bias1) @ kernel2 + bias2)
    np.testing.assert_allclose(found, hidden @ kernel3 + bias3, atol=1e-6)
    assert found.min() < 0


def test_modulated_mlp_is_its_formula(rng):
    projected, position = rng.normal(size=(2, 50, 8)).astype(np.float32)
    layer = ModulatedMLP((8, 6, 4), outputs=2)
    layer.build((None, 8))
    found = outputs(layer(projected, layer.modulation(position)))[0]

    f, c = relu(projected), np.sin(position)
    m = f * c
    for content, coordinate in zip(layer.content, layer.coordinate, strict=True):
        (kernel, bias), (wave_kernel, wave_bias) = content.get_weights(), coordinate.get_weights()
        f = relu(np.concatenate([f, m], axis=-1) @ kernel + bias)
        c = np.sin(c @ wave_kernel + wave_bias)
        m = f * c
    kernel, bias = layer.output_layer.get_weights()
    assert found.shape == (50, 2)
    np.testing.assert_allclose(found, m @ kernel + bias, atol=1e-6)


def test_modulated_mlp_counts_and_config():
    arguments = {"hidden": [8, 6, 4], "outputs": 2}
    layer = ModulatedMLP(**arguments)
    layer.build((None, 8))
    content, coordinate = (16 * 6 + 6) + (12 * 4 + 4), (8 * 6 + 6) + (6 * 4 + 4)
    assert layer.count_params() == content + coordinate + (4 * 2 + 2)
    check_config(layer, arguments)


def test_modulated_mlp_in_mixed_precision_computes_the_sines_in_float32(rng):
    projected, position = rng.normal(size=(2, 50, 8)).astype(np.float32)
    exact, mixed = ModulatedMLP((8, 6, 4)), ModulatedMLP((8, 6, 4), dtype="mixed_bfloat16")
    exact.build((None, 8)), mixed.build((None, 8))
    mixed.set_weights(exact.get_weights())
    for wave, exact_wave in zip(
        mixed.modulation(position), exact.modulation(position), strict=True
    ):
        assert wave.dtype == "bfloat16"
        # One rounding at the end, none before: half a unit in the last of bfloat16's 8 bits.
        np.testing.assert_allclose(outputs(wave)[0], exact_wave, rtol=2**-8)
    assert mixed(projected, mixed.modulation(position)).dtype == "bfloat16"


def values(rng, more=0):
    """A latent network's output for a 2x7 image."""
    return rng.normal(size=(2, 7, 2 * sum(HIDDEN) + more)).astype(np.float32)


def test_latent_modulated_mlp_is_a_layer(rng):
    first = rng.normal(size=(2, 7, 8)).astype(np.float32)
    modulation = [rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 5, 6, 6)]
    arguments = {"hidden": HIDDEN, "outputs": 4}
    check_layer(LatentModulatedMLP, arguments, (first, modulation), (2, 7, 4))


def test_every_latent_modulated_layer_is_scaled_and_shifted_before_its_relu(rng):
    mlp = LatentModulatedMLP(HIDDEN)
    mlp.build((None, 8))
    first = rng.normal(size=(2, 7, 8)).astype(np.float32)
    scales, shifts, _ = split_modulation(values(rng), HIDDEN)
    found = outputs(mlp(first, mlp.modulation(scales[1:], shifts[1:])))[0]

    x = np.maximum(first, 0)
    for layer, scale, shift in zip(mlp.dense, scales[1:], shifts[1:], strict=True):
        kernel, bias = layer.get_weights()
        x = np.maximum((x @ kernel + bias) * (1 + scale) + shift, 0)
    kernel, bias = mlp.output_layer.get_weights()
    np.testing.assert_allclose(found, x @ kernel + bias, atol=1e-5)


def test_scales_come_before_shifts_and_both_before_the_rest(rng):
    given = values(rng, more=3)
    scales, shifts, rest = split_modulation(given, HIDDEN)
    assert [x.shape[-1] for x in (*scales, *shifts, rest)] == [8, 5, 6, 8, 5, 6, 3]
    np.testing.assert_array_equal(np.concatenate([*scales, *shifts, rest], axis=-1), given)


def terms(rng, hidden=HIDDEN):
    return [rng.normal(size=(2, 7, width)).astype(np.float32) for width in hidden]


def test_skip_mlp_is_a_layer(rng):
    arguments = {"hidden": HIDDEN, "inputs": INPUTS, "outputs": 4}
    check_layer(SkipMLP, arguments, (terms(rng),), (2, 7, 4))


def test_every_hidden_layer_of_skip_mlp_sees_the_input_again(rng):
    # The terms are a dense layer's products with the input's part of [before, input].
    x = rng.normal(size=(2, 7, INPUTS))
    kernels = [rng.normal(size=(INPUTS, width)) / 5 for width in HIDDEN]
    biases = [rng.normal(size=width) for width in HIDDEN]
    layer = SkipMLP(HIDDEN, INPUTS)
    given = [np.float32(x @ w + b) for w, b in zip(kernels, biases, strict=True)]
    found = outputs(layer(given))[0]

    h = np.maximum(x @ kernels[0] + biases[0], 0)
    for dense, kernel, bias in zip(layer.dense, kernels[1:], biases[1:], strict=True):
        whole = np.concatenate([*dense.get_weights(), kernel])
        h = np.maximum(np.concatenate([h, x], axis=-1) @ whole + bias, 0)
    kernel, bias = layer.output_layer.get_weights()
    np.testing.assert_allclose(found, h @ kernel + bias, atol=1e-5)
    # The biases of hidden layers are in the terms.
    assert layer.count_params() == 8 * 5 + 5 * 6 + 6 * 3 + 3


def test_one_hidden_layer_of_skip_mlp_needs_one_term(rng):
    layer = SkipMLP((8,), INPUTS)
    assert layer(terms(rng, (8,))).shape == (2, 7, 3)
    assert layer.count_params() == 8 * 3 + 3


def test_kernels_of_skip_mlp_start_in_the_range_of_the_whole_layer(rng):
    layer = SkipMLP((200, 200), INPUTS)
    layer(terms(rng, (200, 200)))
    found = np.abs(layer.dense[0].get_weights()[0]).max()
    limit = 1 / np.sqrt(200 + INPUTS)
    assert 0.99 * limit < found <= limit


@pytest.mark.parametrize("cls", [MLP, ModulatedMLP, LatentModulatedMLP])
@pytest.mark.parametrize("hidden", [(), (8, 0)])
def test_impossible_widths_are_refused(cls, hidden):
    with pytest.raises(InvalidArgument, match="hidden must be one or more positive widths"):
        cls(hidden)
