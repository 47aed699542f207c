import json

import keras
import numpy as np
import pytest

from tfsr.training.muon import Muon, is_matrix, orthogonalize


def test_matrices_become_orthogonal_together_as_alone():
    rng = np.random.default_rng(0)
    for shape in ((12, 30), (30, 12)):
        matrices = rng.normal(size=(4, *shape)).astype("float32")
        found = np.asarray(orthogonalize(matrices))
        for matrix, result in zip(matrices, found, strict=True):
            np.testing.assert_allclose(np.asarray(orthogonalize(matrix)), result, atol=1e-5)
            left, _, right = np.linalg.svd(matrix, full_matrices=False)
            values = np.linalg.svd(result, compute_uv=False)
            assert values.min() > 0.6 and values.max() < 1.3
            # The singular vectors are unchanged.
            mixed = left.T @ result @ right.T
            assert np.abs(mixed - np.diag(np.diag(mixed))).max() < 1e-4


def test_two_steps_of_a_convolution_are_the_formula():
    rng = np.random.default_rng(1)
    kernel, *gradients = rng.normal(size=(3, 3, 3, 5, 7)).astype("float32")
    variable = keras.Variable(kernel)
    optimizer = Muon(0.01, momentum=0.9)
    expected, momentum = kernel.astype("float64"), 0.0
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        momentum = 0.9 * momentum + gradient
        matrix = (gradient + 0.9 * momentum).reshape(45, 7)
        x = matrix.T / np.linalg.norm(matrix)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        expected = expected - 0.01 * 0.2 * np.sqrt(45) * x.T.reshape(kernel.shape)
    np.testing.assert_allclose(variable.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (), (3, 3, 8, 3)])
def test_what_is_no_matrix_is_updated_by_adam(shape):
    assert not is_matrix(shape)
    rng = np.random.default_rng(2)
    ours, adams = (keras.Variable(np.ones(shape, "float32")) for _ in range(2))
    muon, adam = Muon(0.01), keras.optimizers.Adam(0.01, epsilon=1e-8)
    for _ in range(3):
        gradient = keras.ops.convert_to_tensor(rng.normal(size=shape).astype("float32"))
        muon.apply([gradient], [ours])
        adam.apply([gradient], [adams])
    np.testing.assert_allclose(ours.numpy(), adams.numpy(), atol=1e-6)


def test_weight_decay_spares_biases():
    kernel = keras.Variable(np.ones((4, 6), "float32"), name="kernel")
    bias = keras.Variable(np.ones(6, "float32"), name="bias")
    optimizer = Muon(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    nothing = [keras.ops.zeros((4, 6)), keras.ops.zeros(6)]
    optimizer.apply(nothing, [kernel, bias])
    np.testing.assert_allclose(kernel.numpy(), 0.95, atol=1e-6)
    np.testing.assert_allclose(bias.numpy(), 1.0)


def test_it_comes_back_from_its_configuration():
    config = Muon(0.02, momentum=0.8, newton_schulz_steps=4).get_config()
    assert json.loads(json.dumps(config)) == config
    again = Muon.from_config(config)
    assert again.get_config() == config
