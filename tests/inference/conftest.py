"""A small model and its upscaler, compiled once for all tests of this folder."""

import keras
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.inference import ModelUpscaler


@pytest.fixture(scope="session")
def model():
    """Shared: do not change it."""
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="session")
def upscaler(model):
    return ModelUpscaler(model)
