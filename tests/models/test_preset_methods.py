"""Models by name, as Keras users load and save them."""

import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR, from_preset, presets
from tfsr.errors import PresetError
from tfsr.models import SubPixelSR

MOBILE = "arasfsr-mobile-faces-v1"


def test_a_class_lists_its_presets():
    assert set(ImplicitSR.presets) == set(presets.names())
    assert ImplicitSR.presets[MOBILE] == presets.read_metadata(MOBILE)


def test_a_preset_is_loaded_by_its_class():
    found, expected = ImplicitSR.from_preset(MOBILE), from_preset(MOBILE)
    assert isinstance(found, ImplicitSR)
    for weight, other in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_a_model_is_saved_and_loaded(tmp_path):
    keras.utils.set_random_seed(0)
    model = ImplicitSR.from_config(tiny.MODEL)
    model.save_to_preset(tmp_path / "mine", {"provenance": {"licence": "MIT"}})
    again = ImplicitSR.from_preset(tmp_path / "mine")
    assert presets.read_metadata(tmp_path / "mine")["provenance"] == {"licence": "MIT"}
    for weight, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_a_preset_of_another_class_is_refused():
    with pytest.raises(PresetError, match="is of class ImplicitSR, not SubPixelSR"):
        SubPixelSR.from_preset(MOBILE)
