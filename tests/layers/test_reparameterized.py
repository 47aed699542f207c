"""Each layer is compared with its branches, computed one by one in float64 as published."""

import keras
import numpy as np
import pytest
from checks import check_layer, outputs
from keras import ops

from tfsr.layers import Convolution, EdgeOrientedConvolution, ExpandedConvolution

LAYERS = [ExpandedConvolution, EdgeOrientedConvolution]
every_layer = pytest.mark.parametrize("cls", LAYERS)


def weights_of(layer):
    """By name; larger than the initial values, so that no branch is too small to be seen."""
    rng = np.random.default_rng(3)
    layer.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in layer.get_weights()])
    return {w.name: np.asarray(outputs(w)[0], np.float64) for w in layer.weights}


def pad(x, values=0.0):
    """A border of one pixel; `values` may be one for each channel."""
    padded = np.empty((x.shape[0] + 2, x.shape[1] + 2, x.shape[2]))
    padded[:] = values
    padded[1:-1, 1:-1] = x
    return padded


def valid_3x3(x, kernel):
    """A 3x3 convolution of (h + 2, w + 2, channels) to (h, w, filters)."""
    height, width = x.shape[0] - 2, x.shape[1] - 2
    return sum(x[i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3))


def expanded_by_hand(x, w):
    wide = pad(x) @ w["expand_kernel"] + w["expand_bias"]
    middle = valid_3x3(wide, w["middle_kernel"]) + w["middle_bias"]
    skip = x @ w["skip_kernel"] + w["skip_bias"]
    return middle @ w["reduce_kernel"] + w["reduce_bias"] + skip


def edge_oriented_by_hand(x, w):
    total = valid_3x3(pad(x), w["plain_kernel"]) + w["plain_bias"]
    wide = pad(x @ w["expand_kernel"] + w["expand_bias"], w["expand_bias"])
    total += valid_3x3(wide, w["reduce_kernel"]) + w["reduce_bias"]
    masks = {
        "sobel_x": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
        "sobel_y": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
        "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    }
    rng = np.random.default_rng(4)
    for name, mask in masks.items():
        # The published code has this bias too: it changes nothing.
        bias = rng.normal(size=total.shape[-1])
        channels = pad(x @ w[f"{name}_kernel"] + bias, bias)
        # Of each channel by itself: a diagonal kernel.
        depthwise = np.array(mask)[:, :, None, None] * np.diag(w[f"{name}_scale"])
        total += valid_3x3(channels, depthwise) + w[f"{name}_bias"]
    return total + x if x.shape == total.shape else total


@pytest.mark.parametrize("filters", [4, 6])
@pytest.mark.parametrize("size", [(1, 1), (6, 7)])
@pytest.mark.parametrize(
    ("cls", "by_hand"),
    [(ExpandedConvolution, expanded_by_hand), (EdgeOrientedConvolution, edge_oriented_by_hand)],
)
def test_one_convolution_equals_its_branches_at_the_border_too(rng, cls, by_hand, filters, size):
    x = rng.normal(size=(*size, 4)).astype(np.float32)
    layer = cls(filters)
    layer.build((None, None, None, 4))
    expected = by_hand(x.astype(np.float64), weights_of(layer))
    (found,) = outputs(layer(x[None]))
    np.testing.assert_allclose(found[0], expected, atol=1e-5 * np.abs(expected).max())


@every_layer
def test_it_folds_into_a_plain_convolution(rng, cls):
    x = rng.normal(size=(2, 5, 6, 4)).astype(np.float32)
    layer = cls(6, activation="relu")
    expected = outputs(layer(x))[0]
    plain = Convolution(6, activation="relu")
    plain.build(x.shape)
    plain.set_weights(outputs(layer.fold()))
    np.testing.assert_allclose(outputs(plain(x))[0], expected, atol=1e-6)


@every_layer
def test_it_is_a_layer(rng, cls):
    x = rng.random((2, 5, 6, 4), dtype=np.float32)
    check_layer(cls, {"filters": 6, "expansion": 3}, (x,), (2, 5, 6, 6))
    copy = cls.from_config(cls(4, activation="silu").get_config())
    assert copy.activation is keras.activations.silu


@every_layer
def test_the_kernel_is_composed_in_float32(rng, cls):
    x = rng.random((1, 5, 6, 4), dtype=np.float32)
    full, mixed = cls(4), cls(4, dtype="mixed_bfloat16")
    full(x), mixed(x)
    mixed.set_weights(full.get_weights())
    composed = []

    class Spy(cls):
        def fold(self):
            composed.append(super().fold())
            return composed[-1]

    spy = Spy(4, dtype="mixed_bfloat16")
    spy(x)
    composed.clear()
    spy.set_weights(full.get_weights())
    np.testing.assert_array_equal(outputs(spy(x))[0], outputs(mixed(x))[0])
    for found, expected in zip(outputs(composed), outputs(full.fold()), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert {keras.backend.standardize_dtype(part.dtype) for part in composed[0]} == {"float32"}


@every_layer
def test_every_branch_is_trained(rng, cls):
    x = rng.random((2, 5, 6, 4), dtype=np.float32)
    layer = cls(4)
    model = keras.Sequential([layer])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", run_eagerly=True)
    model.build(x.shape)
    before = layer.get_weights()
    model.fit(x, ops.convert_to_numpy(x)[..., ::-1], epochs=1, verbose=0)
    for weight, old in zip(layer.weights, before, strict=True):
        assert np.abs(outputs(weight)[0] - old).max() > 0, weight.name


@every_layer
def test_it_starts_without_amplifying_much(cls):
    """Noise of variance 1 leaves with about that variance: deep stacks train from the start."""
    x = np.random.default_rng(0).normal(size=(1, 32, 32, 32)).astype(np.float32)
    keras.utils.set_random_seed(0)
    assert 0.3 < outputs(cls(32)(x))[0].std() < 1.5
