"""Settings of Keras that other programs have made change no model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny
from cases import quick

from tfsr import ImplicitSR
from tfsr.models import SubPixelSR

ROOT = Path(__file__).parents[2]
IMAGE = np.random.default_rng(0).random((1, 9, 8, 3), np.float32)
MODELS = {
    "metasr": lambda: ImplicitSR(tiny.MODEL["encoder"], {"name": "metasr", "hidden": 8}),
    "thera": lambda: ImplicitSR({"name": "ecb", "features": 8, "blocks": 1}, "thera"),
    "linear": lambda: ImplicitSR.from_config(tiny.MODEL),
    "sub-pixel": lambda: SubPixelSR(tiny.MODEL["encoder"], 2),
}


@pytest.fixture
def restored():
    """Keras's settings, set back afterwards."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format("channels_last")


def outputs(name):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    assert {weight.dtype for weight in model.weights} == {"float32"}
    return model.upscale(IMAGE, scale=2), model.upscale(IMAGE, (21, 17))


@pytest.mark.parametrize("floatx", quick(["float16"], ["float16", "float64"]))
@pytest.mark.parametrize("name", MODELS)
def test_data_format_and_floatx_do_not_matter(name, floatx, restored):
    expected = outputs(name)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx(floatx)
    for output, before in zip(outputs(name), expected, strict=True):
        np.testing.assert_array_equal(output, before)


def test_a_policy_that_was_set_holds(restored):
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert MODELS["linear"]().dtype_policy.name == "mixed_bfloat16"


def test_arrays_that_fit_converts_are_taken(restored):
    keras.config.set_floatx("float64")
    model = MODELS["metasr"]()
    model.compile("adam", "mae")
    points = {
        "image": IMAGE,
        "coordinates": np.zeros((1, 4, 2), np.float32),
        "cell": np.full((1, 4, 2), 0.1, np.float32),
    }
    assert np.isfinite(model.fit(points, np.zeros((1, 4, 3)), verbose=0).history["loss"]).all()


def run(tmp_path, settings, **environment):
    (tmp_path / ".keras").mkdir(exist_ok=True)
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("KERAS_")}
    tiny.save(tmp_path / "a.png", tiny.image(8, 8))
    return subprocess.run(
        [sys.executable, "-m", "tfsr", "upscale", "a.png", "-o", "b.png", "--scale", "2"],
        cwd=tmp_path,
        env={**inherited, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_command_line_does_not_depend_on_keras_json(tmp_path):
    settings = {"backend": "theano", "image_data_format": "channels_first", "floatx": "float16"}
    done = run(tmp_path, settings)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_backend_that_is_not_there_is_one_line(tmp_path):
    done = run(tmp_path, {}, KERAS_BACKEND="theano")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("tfsr: KERAS_BACKEND must be an installed backend (tensorflow")
    assert not (tmp_path / "b.png").exists()
