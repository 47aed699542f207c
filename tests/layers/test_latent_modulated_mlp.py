import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.errors import InvalidArgument
from tfsr.layers import LatentModulatedMLP, split_modulation

HIDDEN = (8, 5, 6)


def values(rng, more=0):
    """What a latent network predicts for a 2x7 image."""
    return rng.normal(size=(2, 7, 2 * sum(HIDDEN) + more)).astype(np.float32)


def test_it_is_a_layer(rng):
    first = rng.normal(size=(2, 7, 8)).astype(np.float32)
    modulation = [rng.normal(size=(2, 7, n)).astype(np.float32) for n in (5, 5, 6, 6)]
    arguments = {"hidden": HIDDEN, "outputs": 4}
    check_layer(LatentModulatedMLP, arguments, (first, modulation), (2, 7, 4))


def test_every_layer_is_scaled_and_shifted_before_its_relu(rng):
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


@pytest.mark.parametrize("hidden", [(), (8, 0)])
def test_impossible_widths_are_refused(hidden):
    with pytest.raises(InvalidArgument, match="hidden must be one or more positive widths"):
        LatentModulatedMLP(hidden)
