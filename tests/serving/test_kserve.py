"""The KServe server of export/serving, and the configuration of other servers, as they are.

`make test-serving` runs these: they need kserve, tritonclient and tensorflow-serving-api.
"""

import http.client
import json
import socket
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tiny
from google.protobuf import text_format
from scripts import load_script

from tfsr.exporters import onnx, saved_model
from tfsr.images import to_float, to_uint8
from tfsr.models import ImplicitSR

ROOT = Path(__file__).parents[2]
MAX_BODY = 300_000

load = load_script(ROOT / "benchmarks" / "serving.py")


@pytest.fixture(scope="module")
def model():
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="module")
def port(model, tmp_path_factory):
    directory = tmp_path_factory.mktemp("served") / "tfsr"
    saved_model(model, directory, max_output_pixels=20_000)
    server, port = load.start(directory, "--max_body", MAX_BODY)
    yield port
    assert server.poll() is None, "the server ended"
    server.terminate()
    server.wait(30)


@pytest.fixture
def ask(port):
    """Post a body: (status, headers, content). The server must still be there afterwards."""

    def post(body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        found = load.post(connection, body, headers)
        connection.close()
        assert load.get(port, "/v2/models/tfsr/ready") == 200
        return found

    return post


def expected(model, image, size):
    return np.clip(model.upscale(to_float(image)[None], size), 0, 1)


def test_binary_tensors(ask, model):
    image = tiny.image(24, 20)
    for batch in (image[None], to_float(image)[None]):
        status, headers, content = ask(*load.request_of(batch, (50, 61)))
        assert status == 200, content
        head = int(headers["inference-header-content-length"])
        [output] = json.loads(content[:head])["outputs"]
        assert (output["name"], output["shape"]) == ("output", [1, 50, 61, 3])
        found = np.frombuffer(content[head:], batch.dtype).reshape(output["shape"])
        wanted = expected(model, image, (50, 61))
        if batch.dtype == np.uint8:
            assert np.abs(found.astype(int) - to_uint8(wanted[0])).max() <= 1
        else:
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def json_request(**changes):
    image = {"name": "image", "shape": [1, 2, 2, 3], "datatype": "UINT8", "data": [128] * 12}
    size = {"name": "size", "shape": [2], "datatype": "INT32", "data": [4, 4]}
    return json.dumps({"inputs": [{**image, **changes}, size]}).encode()


JSON = {"Content-Type": "application/json"}


def test_numbers_as_json(ask):
    status, _, content = ask(json_request(), JSON)
    [output] = json.loads(content)["outputs"]
    assert (status, output["shape"], len(output["data"])) == (200, [1, 4, 4, 3], 48)


GOOD, HEADERS = load.request_of(np.zeros((1, 8, 8, 3), np.uint8), (16, 16))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[]", JSON),
        (b"\xff\xfe" * 50, JSON),
        (b'{"inputs": []}', JSON),
        (json_request(shape=[2, 2, 3]), JSON),
        (json_request(shape=[1, 2, 6]), JSON),
        (json_request(shape=[1, 2, 2, 4]), JSON),
        (json_request(shape=[1, 2, 3, 3]), JSON),
        (json_request(shape=[1, -2, -2, 3]), JSON),
        (json_request(shape=[1, 0, 0, 3], data=[]), JSON),
        (json_request(datatype="INT8"), JSON),
        (json_request(datatype="FP99"), JSON),
        (json_request(data=["a"] * 12), JSON),
        (json_request(data=[300] * 12), JSON),
        (json_request(name="picture"), JSON),
        (GOOD[:-9], HEADERS),
        (GOOD, {"Inference-Header-Content-Length": "9"}),
        (GOOD, {"Inference-Header-Content-Length": "-9"}),
        (GOOD, {"Inference-Header-Content-Length": str(2**40)}),
        (GOOD, {"Inference-Header-Content-Length": "nine"}),
    ],
)
def test_malformed_requests_are_refused(body, headers, ask):
    status, _, content = ask(body, headers)
    assert 400 <= status < 500, content


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((1000, 1000), "more than 20000 pixels in the output"),
        ((2**31 - 1, 2**31 - 1), "size must be"),
        ((0, 8), "size must be"),
        ((4, 4), "must not be smaller"),
    ],
)
def test_outputs_too_large_are_refused_by_the_model(size, words, ask):
    status, _, content = ask(*load.request_of(np.zeros((1, 8, 8, 3), np.uint8), size))
    assert status == 400 and words in json.loads(content)["error"]


def test_bodies_too_large_are_refused_before_they_are_read(ask, port):
    status, _, _ = ask(*load.request_of(np.zeros((1, 400, 400, 3), np.uint8), (400, 400)))
    assert status == 413
    # Without a length, in chunks that never end: the server closes the connection.
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        head = f"POST {load.INFER} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        try:
            for _ in range(1000):
                connection.sendall(chunk)
            response = b""
        except OSError:
            response = b"closed"
        assert response == b"closed" or connection.recv(100).startswith(b"HTTP/1.1 413")
    assert load.get(port, "/v2/models/tfsr/ready") == 200


def test_a_connection_that_breaks_off(port):
    for part in (0, 10, len(GOOD) - 1):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            head = f"POST {load.INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(GOOD)}\r\n\r\n"
            connection.sendall(head.encode() + GOOD[:part])
    assert load.get(port, "/v2/models/tfsr/ready") == 200


def test_the_load_test_measures(port):
    seconds, times = load.run(port, GOOD, HEADERS, 20, 4)
    assert len(times) == 20 and 0 < max(times) <= seconds


# Configuration of other servers.


def test_tritons_configuration_is_that_of_the_file(model, tmp_path):
    from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig

    path = ROOT / "export" / "serving" / "triton" / "faces-x4" / "config.pbtxt"
    config = text_format.Parse(path.read_text(), ModelConfig())
    assert config.name == path.parent.name
    assert config.dynamic_batching.preferred_batch_size[-1] == config.max_batch_size
    session = onnxruntime.InferenceSession(onnx(model, tmp_path / "a.onnx", scale=4).path)
    for described, found in (
        (config.input, session.get_inputs()),
        (config.output, session.get_outputs()),
    ):
        [tensor], [other] = described, found
        assert tensor.name == other.name
        # The batch comes before them.
        dims = [side if isinstance(side, int) else -1 for side in other.shape[1:]]
        assert [*tensor.dims] == dims
        assert (DataType.Name(tensor.data_type), other.type) == ("TYPE_FP32", "tensor(float)")


def test_tensorflow_servings_configuration():
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    path = ROOT / "export" / "serving" / "tensorflow_serving" / "models.config"
    config = text_format.Parse(path.read_text(), ModelServerConfig())
    [served] = config.model_config_list.config
    assert (served.name, served.base_path) == ("tfsr", "/models/tfsr")
    assert served.model_version_policy.latest.num_versions == 2
