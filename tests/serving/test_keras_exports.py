"""What `model.export` of Keras writes for other runtimes computes as the model does."""

import keras
import numpy as np
import onnxruntime
import openvino
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.models import SubPixelSR

IMAGE = np.random.default_rng(0).random((1, 8, 9, 3), np.float32)
POINTS = {
    "image": IMAGE,
    "coordinates": np.random.default_rng(1).uniform(-1, 1, (1, 5, 2)).astype(np.float32),
    "cell": np.full((1, 5, 2), 0.1, np.float32),
}
KINDS = {
    "sub-pixel": (lambda: SubPixelSR(tiny.MODEL["encoder"], 2), IMAGE),
    "linear": (lambda: ImplicitSR.from_config(tiny.MODEL), POINTS),
    "liif": (lambda: ImplicitSR(tiny.MODEL["encoder"], {"name": "liif", "hidden": [8]}), POINTS),
}


def named(inputs, names):
    """Inputs by the names that a file has for them, which end in Keras's own."""
    if not isinstance(inputs, dict):
        return {names[0]: inputs}
    return {next(x for x in names if x.endswith(key)): value for key, value in inputs.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_and_openvino(kind, tmp_path):
    make, inputs = KINDS[kind]
    keras.utils.set_random_seed(0)
    model = make()
    expected = np.asarray(model(inputs))

    model.export(tmp_path / "a.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    feed = named(inputs, [x.name for x in session.get_inputs()])
    np.testing.assert_allclose(session.run(None, feed)[0], expected, atol=1e-5)

    model.export(tmp_path / "a.xml", format="openvino", verbose=False)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(tmp_path / "a.xml", "CPU", exact)
    feed = named(inputs, [x.any_name for x in compiled.inputs])
    output = compiled(feed)[0]  # Keras leaves values between the layers as outputs after it.
    np.testing.assert_allclose(output, expected, atol=1e-5)
