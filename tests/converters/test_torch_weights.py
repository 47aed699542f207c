import re
from functools import cache

import numpy as np
import pytest
from checks import golden, golden_model, section

from tfsr.converters import load_published
from tfsr.encoders import EDSR
from tfsr.errors import CheckpointError
from tfsr.models import ImplicitSR

# The decoder's first weight.
FIRST_LAYER = {
    "liif_edsr_small": "imnet.layers.0.weight",
    "liif_rdn_small": "imnet.layers.0.weight",
    "metasr_edsr_small": "imnet.layers.0.weight",
    "lte_edsr_small": "coef.weight",
    "lmliif_edsr_small": "hypernet.layers.0.weight",
    "lmlte_edsr_small": "coef.weight",
    "diinn_edsr_small": "decoder.K.0.0.weight",
    "diinnle_edsr_small": "imnet.K.0.0.weight",
    "asfsr_edsr_small": "imnet.I.0.0.weight",
}
names = pytest.mark.parametrize("name", FIRST_LAYER)


def state_dict(name):
    return dict(section(golden(name), "sd/"))


@cache
def shared_model(name):
    """A model whose weights any test may set, but none that another test relies on."""
    return golden_model(name)


def refused(name, weights, message):
    model = shared_model(name)
    before = model.get_weights()
    with pytest.raises(CheckpointError, match=message):
        load_published(model, weights)
    for variable, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(variable, value)


@names
def test_every_published_number_finds_its_place(name):
    model, weights = shared_model(name), state_dict(name)
    load_published(model, weights)
    used = [value for key, value in weights.items() if "_mean." not in key]
    found = np.concatenate([*map(np.ravel, model.get_weights())])
    np.testing.assert_array_equal(np.sort(found), np.sort(np.concatenate([*map(np.ravel, used)])))


@names
def test_the_frozen_colour_shifts_may_be_absent(name):
    weights = {key: value for key, value in state_dict(name).items() if "_mean." not in key}
    load_published(shared_model(name), weights)


@names
@pytest.mark.parametrize("part", ["first", "last"])
def test_a_missing_weight_is_named(name, part):
    weights = state_dict(name)
    missing = FIRST_LAYER[name] if part == "first" else list(weights)[-1]
    del weights[missing]
    refused(name, weights, f"no weight '{missing}'")


@names
def test_a_weight_too_many_is_named(name):
    weights = {**state_dict(name), "imnet.layers.99.weight": np.zeros((3, 3), np.float32)}
    refused(name, weights, "1 weights that the model has no place for: imnet.layers.99.weight")


@names
def test_a_weight_of_another_shape_is_named_with_both_shapes(name):
    weights, wrong = state_dict(name), FIRST_LAYER[name]
    weights[wrong] = weights[wrong][:, :-1]
    found, needed = weights[wrong].shape, golden(name)[f"sd/{wrong}"].shape
    message = f"weight '{wrong}' has shape {found}; the model needs {needed}"
    refused(name, weights, re.escape(message))


@names
def test_a_checkpoint_of_another_model_is_refused(name):
    other = "liif_edsr_small" if name == "asfsr_edsr_small" else "asfsr_edsr_small"
    refused(name, state_dict(other), "the checkpoint has|has shape")


def plus_of(weights):
    """LTE's weights in the form of LTE+, whose numbers are the same and its names are not.

    All frequencies of rows come before those of columns, and the perceptron is 1x1 convolutions.
    """
    plus = {}
    for key, value in weights.items():
        if key.startswith("freq."):
            value = np.concatenate([value[0::2], value[1::2]])
        if key.startswith("imnet."):
            key = key.removeprefix("imnet.")
            value = value[..., None, None] if key.endswith("weight") else value
        plus[key] = value
    return plus


@pytest.mark.parametrize("decoder", ["lte", "lte+"])
def test_lte_plus_is_lte_under_other_names(decoder):
    weights = state_dict("lte_edsr_small")
    plus = plus_of(weights)
    perceptron = {key for key in plus if key.startswith("layers.")}
    assert perceptron == {f"layers.{i}.{part}" for i in (0, 2, 4, 6) for part in ("weight", "bias")}
    model, found = ImplicitSR(EDSR(16, 2, 1.0), decoder), []
    for given in (weights, plus):
        load_published(model, given)
        found.append(model.get_weights())
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


def test_frequencies_are_read_in_the_order_of_their_kind():
    weights = state_dict("lte_edsr_small")
    mixed = {**plus_of(weights), "freq.weight": weights["freq.weight"]}
    model, found = shared_model("lte_edsr_small"), []
    for given in (weights, mixed):
        load_published(model, given)
        found.append(model.decoder.frequency.get_weights()[0])
    first, second = found
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, second[..., [*range(0, 256, 2), *range(1, 256, 2)]])


def test_a_missing_weight_of_lte_plus_is_named():
    weights = plus_of(state_dict("lte_edsr_small"))
    del weights["layers.4.weight"]
    refused("lte_edsr_small", weights, "no weight 'layers.4.weight'")


@pytest.mark.parametrize(
    ("decoder", "weights", "message"),
    [
        ("ipe-liif", "liif_edsr_small", "LIIF with encodings or skips"),
        ({"name": "liif", "skip": True}, "liif_edsr_small", "LIIF with encodings or skips"),
        ("ipe-metasr", "metasr_edsr_small", "Meta-SR with encodings"),
    ],
)
def test_what_was_never_published_has_no_weights(decoder, weights, message):
    model = ImplicitSR(EDSR(16, 2, 1.0), decoder)
    with pytest.raises(CheckpointError, match=message):
        load_published(model, state_dict(weights))


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("name", ["diinn_edsr_small", "diinnle_edsr_small"])
def test_other_modes_of_diinn_have_their_names(name, mode):
    # Content layers past the first: 256 values before, then the 9 x 16 features in mode 2.
    weights = state_dict(name)
    if mode == 1:
        for key in [key for key in weights if ".K." in key and ".K.0" not in key]:
            weights[key] = weights[key][:, :256] if key.endswith("weight") else weights[key]
    model = golden_model(name, mode=mode)
    load_published(model, weights)
    used = [value for key, value in weights.items() if "_mean." not in key]
    found = np.concatenate([*map(np.ravel, model.get_weights())])
    np.testing.assert_array_equal(np.sort(found), np.sort(np.concatenate([*map(np.ravel, used)])))
