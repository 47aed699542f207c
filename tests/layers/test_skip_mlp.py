import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.errors import InvalidArgument
from tfsr.layers import SkipMLP

HIDDEN, INPUTS = (8, 5, 6), 30


def shares(rng, hidden=HIDDEN):
    return [rng.normal(size=(2, 7, width)).astype(np.float32) for width in hidden]


def test_it_is_a_layer(rng):
    arguments = {"hidden": HIDDEN, "inputs": INPUTS, "outputs": 4}
    check_layer(SkipMLP, arguments, (shares(rng),), (2, 7, 4))


def test_it_outputs_colours_by_default(rng):
    assert SkipMLP(HIDDEN, INPUTS)(shares(rng)).shape == (2, 7, 3)


def test_every_hidden_layer_sees_the_whole_input_again(rng):
    # The shares are what a dense layer makes of the part of [before, input] that is the input.
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


def test_one_hidden_layer_needs_one_share(rng):
    layer = SkipMLP((8,), INPUTS)
    assert layer(shares(rng, (8,))).shape == (2, 7, 3)
    assert layer.count_params() == 8 * 3 + 3


def test_biases_are_in_the_shares(rng):
    layer = SkipMLP(HIDDEN, INPUTS)
    layer(shares(rng))
    assert layer.count_params() == 8 * 5 + 5 * 6 + 6 * 3 + 3


def test_kernels_start_in_the_range_of_the_layer_they_are_a_part_of(rng):
    layer = SkipMLP((200, 200), INPUTS)
    layer(shares(rng, (200, 200)))
    found = np.abs(layer.dense[0].get_weights()[0]).max()
    limit = 1 / np.sqrt(200 + INPUTS)
    assert 0.99 * limit < found <= limit


@pytest.mark.parametrize("hidden", [(), (8, 0)])
def test_empty_layers_are_refused(hidden):
    with pytest.raises(InvalidArgument, match="hidden must be one or more positive widths"):
        SkipMLP(hidden, INPUTS)
