"""Compiled functions, on the backend that the tests run on."""

import keras
import numpy as np
import pytest
from checks import outputs
from keras import ops

from tfsr.backend import AXIS, jit


@pytest.fixture
def layer():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    return layer


def test_a_compiled_function_outputs_as_it_did_before(layer, rng):
    x = rng.random((4, 3), dtype=np.float32)
    found = jit(lambda x: layer(x) + 1, layer, (AXIS,))(ops.convert_to_tensor(x))
    np.testing.assert_allclose(outputs(found)[0], outputs(layer(x) + 1)[0], atol=1e-6)


def test_a_compiled_function_sees_weights_that_changed(layer, rng):
    x = ops.convert_to_tensor(rng.random((4, 3), dtype=np.float32))
    function = jit(lambda x: layer(x), layer, (AXIS,))
    before = outputs(function(x))[0]
    layer.set_weights([2 * weights + 1 for weights in layer.get_weights()])
    after = outputs(function(x))[0]
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after, outputs(layer(x))[0], atol=1e-6)


def test_a_compiled_function_takes_nested_arguments_and_none(layer, rng):
    def function(first, pair, nothing):
        assert nothing is None
        return [layer(first), pair[0] + pair[1]]

    x, y = (ops.convert_to_tensor(rng.random((4, 3), dtype=np.float32)) for _ in range(2))
    found = outputs(jit(function, layer, (AXIS, AXIS, AXIS))(x, (x, y), None))
    for value, expected in zip(found, outputs([layer(x), x + y]), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-6)


def test_a_compiled_function_takes_numbers(layer):
    doubled = jit(lambda x: 2 * x, layer, (AXIS,))
    assert float(doubled(ops.convert_to_tensor(np.float32(3)))) == 6


def test_arguments_of_any_size_are_traced_a_few_times(layer):
    traces = []

    def function(x):
        traces.append(x.shape)
        return layer(x)

    function = jit(function, layer, (AXIS,))
    for length in range(1, 30):
        assert tuple(function(ops.ones((length, 3))).shape) == (length, 2)
    if keras.backend.backend() == "tensorflow":
        assert len(traces) == 1
