"""Systems of every kind, made once from one tiny model."""

import keras
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.presets import save_preset


@pytest.fixture(scope="session")
def model():
    """Shared: do not change it."""
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="session")
def made(model, tmp_path_factory):
    """A folder of a preset, a run, two .tflite files (16x16 to 24x24 and 32x32), a SavedModel."""
    from tfsr import exporters

    folder = tmp_path_factory.mktemp("systems")
    save_preset(model, folder / "preset", {})
    save_preset(model, folder / "run" / "best", {})
    for name, io in (("float.tflite", "float32"), ("uint8.tflite", "uint8")):
        exporters.tflite(model, folder / name, (16, 16), [(24, 24), (32, 32)], io=io)
    exporters.saved_model(model, folder / "served")
    return folder
