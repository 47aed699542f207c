"""A loopback S3 server, and an upscaler that needs no TensorFlow."""

import os

import pytest
from s3_server import s3  # noqa: F401


@pytest.fixture(params=["memory", "s3", "file"])
def store(request, tmp_path):
    """The URL of an empty folder: in memory, in a bucket, on the disk."""
    if request.param == "file":
        yield f"file://{tmp_path}/store"
    elif request.param == "s3":
        yield f"{request.getfixturevalue('s3')}/{os.path.basename(tmp_path)}"
    else:
        yield f"memory://{os.path.basename(tmp_path)}"


class Double:
    """Repeats each pixel as often as the size asks."""

    bit_depth, details = 8, {}

    def __call__(self, image, size):
        factors = size[0] // image.shape[0], size[1] // image.shape[1]
        return image.repeat(factors[0], 0).repeat(factors[1], 1)


@pytest.fixture
def double():
    return Double()
