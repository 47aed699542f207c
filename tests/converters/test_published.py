import numpy as np
import pytest
from checks import golden, golden_model, section

from tfsr.converters import load_published
from tfsr.errors import CheckpointError

NAMES = ["liif_edsr_small", "liif_rdn_small", "asfsr_edsr_small"]
FIRST_LAYER = {
    "liif_edsr_small": "imnet.layers.0.weight",
    "liif_rdn_small": "imnet.layers.0.weight",
    "asfsr_edsr_small": "imnet.I.0.0.weight",
}
pytestmark = pytest.mark.parametrize("name", NAMES)


def state_dict(name):
    return dict(section(golden(name), "sd/"))


def refused(name, weights, message):
    model = golden_model(name)
    before = model.get_weights()
    with pytest.raises(CheckpointError, match=message):
        load_published(model, weights)
    for variable, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_every_published_number_finds_its_place(name):
    model, weights = golden_model(name), state_dict(name)
    load_published(model, weights)
    used = [value for key, value in weights.items() if "_mean." not in key]
    found = np.concatenate([*map(np.ravel, model.get_weights())])
    np.testing.assert_array_equal(np.sort(found), np.sort(np.concatenate([*map(np.ravel, used)])))


def test_the_frozen_colour_shifts_may_be_absent(name):
    weights = {key: value for key, value in state_dict(name).items() if "_mean." not in key}
    load_published(golden_model(name), weights)


@pytest.mark.parametrize("part", ["first", "last"])
def test_a_missing_weight_is_named(name, part):
    weights = state_dict(name)
    missing = FIRST_LAYER[name] if part == "first" else list(weights)[-1]
    del weights[missing]
    refused(name, weights, f"no weight '{missing}'")


def test_a_weight_too_many_is_named(name):
    weights = {**state_dict(name), "imnet.layers.99.weight": np.zeros((3, 3), np.float32)}
    refused(name, weights, "1 weights that the model has no place for: imnet.layers.99.weight")


def test_a_weight_of_another_shape_is_named_with_both_shapes(name):
    weights, wrong = state_dict(name), FIRST_LAYER[name]
    weights[wrong] = weights[wrong][:, :-1]
    outputs, inputs = weights[wrong].shape
    message = rf"weight '{wrong}' has shape \({outputs}, {inputs}\).*\({outputs}, {inputs + 1}\)"
    refused(name, weights, message)


def test_a_checkpoint_of_another_model_is_refused(name):
    other = "liif_edsr_small" if name == "asfsr_edsr_small" else "asfsr_edsr_small"
    refused(name, state_dict(other), "imnet|encoder")
