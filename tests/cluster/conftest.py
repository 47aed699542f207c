"""A loopback S3 server, and an upscaler that needs no TensorFlow."""

import os

import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def s3():
    """The URL of an empty bucket of a server on this machine."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem().mkdir("tfsr-tests")
        yield "s3://tfsr-tests"
    server.stop()


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
