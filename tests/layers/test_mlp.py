import numpy as np
from checks import check_config, check_layer, outputs

from tfsr.layers import MLP, ModulatedMLP


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


def test_modulated_mlp_is_the_formula_it_states(rng):
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
    assert layer.compute_output_shape((7, 8)) == (7, 2)
    check_config(layer, arguments)


def test_modulated_mlp_in_mixed_precision_keeps_the_sines_arguments_float32(rng):
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
