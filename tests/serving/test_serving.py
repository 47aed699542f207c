"""An exported SavedModel, taken by those who know nothing of tfsr.

`make test-serving` runs these: they need gcc, openvino and tensorflow-serving-api, and fail without
one of them. The server is a small one that speaks TensorFlow Serving's REST; the model that it runs
is the real export.
"""

import base64
import io
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image
from scripts import load_script

from tfsr.exporters import saved_model
from tfsr.images import to_float, to_uint8
from tfsr.inference.saved_model_upscaler import refusal
from tfsr.models import ImplicitSR
from tfsr.presets import DEFAULT, from_preset

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "export" / "serving"
FACE = ROOT / "docs" / "images" / "astronaut-46.png"

# From 46x46: integer scales, none, another on each side, and a reduction.
SIZES = [(92, 92), (138, 138), (173, 211), (46, 46), (60, 77)]


def program(name):
    """A program of export/serving as a module."""
    return load_script(SERVING / f"{name}.py")


@pytest.fixture(scope="module")
def model():
    return from_preset(DEFAULT)


@pytest.fixture(scope="module")
def version(model, tmp_path_factory):
    """A version's directory."""
    return saved_model(model, tmp_path_factory.mktemp("served") / "tfsr", warmup=True).path


@pytest.fixture(scope="module")
def too_large(version):
    """How an output is refused that is larger than the export's limit."""
    metadata = json.loads((version / "assets.extra" / "tfsr_metadata.json").read_text())
    return f"more than {metadata['max_output_pixels']} pixels"


@pytest.fixture(scope="module")
def face():
    with Image.open(FACE) as image:
        return np.array(image.convert("RGB"))


def rendered(model, image, size):
    """(h, w, 3) uint8 to what the Keras model renders, (H, W, 3) float32 in [0, 1]."""
    return np.clip(model.upscale(to_float(image)[None], size)[0], 0, 1)


def check_levels(found, expected):
    """8-bit images that differ by a level nearly nowhere: where rounding was on the edge."""
    assert found.shape == expected.shape and found.dtype == np.uint8
    different = found != expected
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert different.mean() < 1e-3, f"{different.sum()} of {different.size} differ"


# TensorFlow's C API.


@pytest.fixture(scope="module")
def consumer(tmp_path_factory):
    """The program, built as the README says."""
    wheel = Path(tf.__file__).parent
    binary = tmp_path_factory.mktemp("build") / "consumer"
    command = [
        *["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"],
        *["-I", wheel / "include", SERVING / "consumer.c", "-o", binary, "-L", wheel],
        *["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{wheel}"],
    ]
    subprocess.run(command, check=True)
    return binary


def run_consumer(consumer, *arguments):
    return subprocess.run([consumer, *map(str, arguments)], capture_output=True, text=True)


def test_a_c_program_renders_the_same(consumer, version, model, face, tmp_path):
    image, output = tmp_path / "image", tmp_path / "output"
    to_float(face).tofile(image)
    for size in SIZES:
        run = run_consumer(consumer, version, 46, 46, image, *size, output)
        assert run.returncode == 0, run.stderr
        found = np.fromfile(output, np.float32).reshape(*size, 3)
        np.testing.assert_allclose(found, rendered(model, face, size), atol=1e-5, rtol=0)


def test_a_c_program_is_reported_in_one_line(consumer, version, face, too_large, tmp_path):
    image, output = tmp_path / "image", tmp_path / "output"
    to_float(face).tofile(image)
    for arguments, message in [
        ((version, 46, 46, image, 100_000, 100_000, output), too_large),
        ((version, 46, 47, image, 92, 92, output), "must have 25944 bytes"),
        ((version, 46, 46, tmp_path / "none", 92, 92, output), "none: No such file"),
        ((tmp_path, 46, 46, image, 92, 92, output), "Could not find SavedModel"),
        ((version, 46, 46, image, 0, 92, output), "a side must be a whole number"),
    ]:
        run = run_consumer(consumer, *arguments)
        assert run.returncode == 1
        assert run.stderr.splitlines()[-1].startswith("consumer: ") and message in run.stderr
        assert not output.exists()


# OpenVINO.


@pytest.fixture(scope="module")
def by_openvino(version):
    return program("openvino_upscale").load(version)


def test_openvino_renders_the_same(by_openvino, model, face):
    for size in SIZES:
        check_levels(by_openvino(face, size), to_uint8(rendered(model, face, size)))


@pytest.mark.parametrize(
    "name",
    ["liif", "metasr", "lte", "lm-liif", "lm-lte", "diinn", "diinn-ensemble", "arasfsr"],
)
def test_openvino_takes_every_decoder(name, monkeypatch, tmp_path):
    # The comparison in a process of its own is tested elsewhere.
    module = sys.modules["tfsr.exporters.saved_model_export"]
    monkeypatch.setattr(module, "compare_saved_model", lambda *arguments: (0.0, np.inf))
    arguments = {"width": 8} if "diinn" in name else {"hidden": 8 if name == "metasr" else [8, 8]}
    model = ImplicitSR(tiny.MODEL["encoder"], {"name": name, **arguments})
    upscale = program("openvino_upscale").load(saved_model(model, tmp_path).path)
    image = tiny.image(24, 31)
    for size in [(48, 62), (89, 115)]:
        check_levels(upscale(image, size), to_uint8(rendered(model, image, size)))


def test_openvino_without_tensorflow(version, face, model, tmp_path):
    output = tmp_path / "large.png"
    code = (
        "import sys, runpy\n"
        "sys.modules.update(tensorflow=None, keras=None, tfsr=None)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    script = SERVING / "openvino_upscale.py"
    command = [script, version, FACE, "-o", output, "--size", "211x173"]
    subprocess.run([sys.executable, "-I", "-c", code, *map(str, command)], check=True)
    check_levels(np.array(Image.open(output)), to_uint8(rendered(model, face, (173, 211))))


# TensorFlow Serving's messages.


def test_warm_up_requests_are_what_tensorflow_serving_reads(version):
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    loaded = tf.saved_model.load(str(version))
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    asked = set()
    for record in tf.data.TFRecordDataset(str(path)):
        log = PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        # Nothing was written that the messages do not know.
        assert log.SerializeToString(deterministic=True) == record.numpy()
        request = log.predict_log.request
        assert request.model_spec.name == "tfsr"
        signature = request.model_spec.signature_name
        inputs = {name: tf.constant(tf.make_ndarray(x)) for name, x in request.inputs.items()}
        assert loaded.signatures[signature](**inputs)
        asked.add(signature)
    assert asked == set(loaded.signatures)


# TensorFlow Serving's REST.


class Server(ThreadingHTTPServer):
    """Serves /v1/models/tfsr:predict as TensorFlow Serving does, in its columnar format."""

    daemon_threads = True

    def __init__(self, version):
        self.loaded = tf.saved_model.load(str(version))
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1/models/tfsr"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        try:
            if self.path != "/v1/models/tfsr:predict":
                raise ValueError("Malformed request: POST " + self.path)
            output, status = {"outputs": predict(self.server.loaded.signatures, body)}, 200
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            # Python adds where the graph was made; a server has the graph's own message alone.
            message = str(error)
            output, status = {"error": message[max(0, message.find("assertion failed")) :]}, 400
        content = json.dumps(output).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def predict(signatures, body):
    signature = signatures[body.get("signature_name", "serving_default")]
    specs = signature.structured_input_signature[1]
    if set(body["inputs"]) != set(specs):
        raise ValueError(f"inputs must be {sorted(specs)}")
    inputs = {
        name: tf.constant(from_json(value), specs[name].dtype)
        for name, value in body["inputs"].items()
    }
    outputs = {name: to_json(name, x.numpy()) for name, x in signature(**inputs).items()}
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


def from_json(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return [from_json(item) for item in value] if isinstance(value, list) else value


def to_json(name, value):
    if not name.endswith("_bytes"):
        return value.tolist()
    if isinstance(value, np.ndarray):
        return [to_json(name, item) for item in value]
    return {"b64": base64.b64encode(value).decode()}


@pytest.fixture(scope="module")
def server(version):
    server = Server(version)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run_client(*arguments):
    """The client as a program of its own."""
    command = [sys.executable, "-I", SERVING / "client.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_client_gets_what_the_model_renders(server, model, face, tmp_path):
    output = tmp_path / "large.png"
    for wanted, size in [
        (["--size", "211x173"], (173, 211)),
        (["--scale", "2"], (92, 92)),
        (["--scale", "3.7"], (170, 170)),
    ]:
        run = run_client(FACE, "-o", output, *wanted, "--url", server.url)
        assert (run.returncode, run.stderr) == (0, "")
        check_levels(np.array(Image.open(output)), to_uint8(rendered(model, face, size)))


def test_the_client_turns_images_upright(server, tmp_path):
    image = tiny.image(20, 30)
    turned, plain, output = (tmp_path / name for name in ("turned.png", "plain.png", "output.png"))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by a quarter clockwise.
    Image.fromarray(np.rot90(image).copy()).save(turned, exif=exif)
    Image.fromarray(image).save(plain)
    found = []
    for path in (turned, plain):
        run = run_client(path, "-o", output, "--size", "60x40", "--url", server.url)
        assert run.returncode == 0, run.stderr
        found.append(np.array(Image.open(output)))
    assert found[0].shape == (40, 60, 3)
    np.testing.assert_array_equal(*found)


def test_images_as_json_numbers(server, model, face):
    image = face[:12, :9]
    body = {"inputs": {"image": [image.tolist()], "size": [20, 30]}}
    output = program("client").post(f"{server.url}:predict", body, 60)["outputs"]
    expected = to_uint8(rendered(model, image, (20, 30)))
    check_levels(np.array(output[0], np.uint8), expected)

    body = {
        "signature_name": "upscale_float",
        "inputs": {"image": [to_float(image).tolist()], "size": [20, 30]},
    }
    output = program("client").post(f"{server.url}:predict", body, 60)["outputs"]
    np.testing.assert_allclose(output[0], rendered(model, image, (20, 30)), atol=1e-5)


def test_several_files_in_one_request(server, model):
    images = [tiny.image(20, 30, 1), tiny.image(9, 8, 2)]
    files = []
    for image, form in zip(images, ("PNG", "JPEG"), strict=True):
        file = io.BytesIO()
        Image.fromarray(image).save(file, form)
        files.append({"b64": base64.b64encode(file.getvalue()).decode()})
    body = {
        "signature_name": "upscale_bytes",
        "inputs": {"image_bytes": files, "size": [40, 60]},
    }
    outputs = program("client").post(f"{server.url}:predict", body, 60)["outputs"]
    first, second = (
        np.array(Image.open(io.BytesIO(base64.b64decode(output["b64"])))) for output in outputs
    )
    check_levels(first, to_uint8(rendered(model, images[0], (40, 60))))
    assert second.shape == (40, 60, 3)


def test_the_client_tells_what_failed_in_one_line_and_does_not_try_again(
    server, too_large, tmp_path
):
    broken = tmp_path / "broken.png"
    broken.write_bytes(FACE.read_bytes()[:200])
    deep = tmp_path / "deep.png"
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(deep)
    output = tmp_path / "output.png"
    nobody = "http://127.0.0.1:1/v1/models/tfsr"
    server.asked.clear()
    for arguments, message in [
        ((FACE, "--size", "30000x30000", "--url", server.url), too_large),
        ((FACE, "--size", "30x30", "--url", server.url + "2"), "refused (400): Malformed request"),
        ((FACE, "--size", "30x30", "--url", nobody), "cannot be reached"),
        ((FACE, "--size", "30x30", "--url", "localhost:8501"), "localhost:8501"),
        ((FACE, "--size", "30", "--url", server.url), "--size must be WxH"),
        ((FACE, "--scale", "-1", "--url", server.url), "--scale must be"),
        ((broken, "--scale", "2", "--url", server.url), "broken.png: cannot be read"),
        ((deep, "--scale", "2", "--url", server.url), "more than 8 bits a channel"),
        ((tmp_path / "no.png", "--scale", "2", "--url", server.url), "no.png: cannot be read"),
    ]:
        run = run_client(*arguments, "-o", output)
        assert run.returncode == 1, message
        assert len(run.stderr.splitlines()) == 1 and message in run.stderr, run.stderr
        assert run.stderr.startswith("client: ")
        assert [path for path in tmp_path.iterdir() if "output" in path.name] == []
    # The two that reached it, once each.
    assert len(server.asked) == 2


def test_a_refusal_is_one_line_for_those_who_parse_it(server):
    body = {"inputs": {"image": [[[[0, 0, 0]]]], "size": [0, 5]}}
    with pytest.raises(Exception, match="refused") as error:
        program("client").post(f"{server.url}:predict", body, 60)
    assert "\n" not in str(error.value)
    assert (
        refusal("x assertion failed: [size must be] [0 5]\n\t [[{{node}}]]") == "size must be 0 5"
    )
