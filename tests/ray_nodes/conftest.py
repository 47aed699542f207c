"""A cluster of two worker nodes, how often one is killed, and a loopback S3 server."""

import pytest
from ray_cluster import Nodes
from s3_server import s3  # noqa: F401


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=1, help="how often each kill is repeated")


def pytest_generate_tests(metafunc):
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", range(metafunc.config.getoption("--kills")))


@pytest.fixture(scope="module")
def nodes():
    with Nodes(workers=2) as nodes:
        yield nodes
