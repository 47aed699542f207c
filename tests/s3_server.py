"""Fixture: a loopback S3 server."""

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
