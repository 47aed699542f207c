"""One tiny model as a preset, and upscalers of every kind."""

import keras
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.images import resize
from tfsr.inference import Upscaler
from tfsr.presets import save_preset


class OneSize(Upscaler):
    """Bicubic of 16x16 to 24x24 and 32x32, as an exported file of fixed sizes."""

    kind = "file of fixed sizes"
    rounds = True

    def unsupported_reason(self, lr_size, size):
        if tuple(lr_size) == (16, 16) and tuple(size) in ((24, 24), (32, 32)):
            return None
        return "takes 16x16 and returns 24x24 or 32x32"

    def patches(self, image, size):
        yield slice(0, size[0]), slice(0, size[1]), resize(image, size)


@pytest.fixture(scope="session")
def model():
    """Shared: do not change it."""
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="session")
def made(model, tmp_path_factory):
    """A folder of a preset and a run."""
    folder = tmp_path_factory.mktemp("presets")
    save_preset(model, folder / "preset", {})
    save_preset(model, folder / "run" / "best", {})
    return folder


@pytest.fixture(scope="session")
def upscalers(made):
    """Bicubic, a preset, and an upscaler of fixed sizes."""
    from tfsr.evaluation import load_upscalers

    return {**load_upscalers([str(made / "preset")]), "fixed": OneSize()}


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    """Three images of 32x32. Shared: do not change them."""
    return tiny.folder(tmp_path_factory.mktemp("data") / "faces", count=3, side=32)
