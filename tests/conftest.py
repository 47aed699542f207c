"""What every test starts from: a quiet TensorFlow, fixed seeds and repeatable examples."""

import gc
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("tfsr", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("tfsr")


# What takes longest is started first, so that all workers end together; and first of all the
# exporters, as a conversion by TFLite looks through all objects that there are.
LONG = ("exporters/", "training/", "cli/", "decoders/", "test_parity.py")


def pytest_collection_modifyitems(items):
    def place(item):
        return next((i for i, name in enumerate(LONG) if name in item.nodeid), len(LONG))

    items.sort(key=place)


def pytest_collection_finish():
    # TensorFlow's modules and graphs are millions of objects, which Python's collector of cycles
    # looks through again and again: a tenth of the suite's time. What has been imported stays; the
    # rest is looked through less often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 60)


@pytest.fixture(autouse=True)
def _seed():
    # Tests that never touch Keras do not wait for it to be imported.
    if "keras" not in sys.modules:
        return
    with pytest.MonkeyPatch.context() as patch:
        # Nothing here draws by TensorFlow's own seed, and to set it makes TensorFlow forget every
        # kernel and function that it has compiled.
        if "tensorflow" in sys.modules:
            patch.setattr(sys.modules["tensorflow"].random, "set_seed", lambda seed: None)
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def block_means():
    """The name of `BlockMeans`, an encoder registered during the test."""
    from block_means import BlockMeans

    from tfsr.encoders import ENCODERS

    ENCODERS.add("block-means", BlockMeans)
    yield "block-means"
    ENCODERS.remove("block-means")
