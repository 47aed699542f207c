"""Where there is JAX and no TensorFlow: models are trained, measured and used; the rest says so."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tiny
from pages import ROOT

from tfsr import from_preset
from tfsr.images import read


def test_the_doctor_finds_jax(tfsr):
    done = tfsr("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^backend +jax \d+\.\d+", done.stdout, re.MULTILINE)


@pytest.fixture(scope="session")
def trained(tfsr, tmp_path_factory):
    """A run of twenty steps, with samples from two processes."""
    base = tmp_path_factory.mktemp("trained")
    images = tiny.folder(base / "images", count=4)
    content = tiny.recipe(
        images,
        jit_compile=True,
        steps=20,
        steps_per_epoch=10,
        ema=0.9,
        optimizer="muon",
        loss=["charbonnier", {"name": "fft", "weight": 0.1}],
        teacher=str(tiny.teacher(base / "teacher")),
    )
    content["data"]["sampling"]["points"] = "patch"
    recipe = tiny.write_recipe(base / "r.yaml", content)
    done = tfsr("train", recipe, "-o", base / "run", "--processes", "2")
    assert done.returncode == 0, done.stderr
    assert json.loads((base / "run" / "run.json").read_text())["starts"][0]["backend"] == "jax"
    return base / "run"


def test_what_jax_trained_upscales_the_same_under_tensorflow(trained, python):
    image = read(next((trained.parent / "images").iterdir()))[:17, :12] / np.float32(255)
    expected = from_preset(trained).upscale(image[None], size=(40, 37))
    np.save(trained.parent / "image.npy", image)
    script = (
        "import sys, numpy as np, tfsr; run, image, output = sys.argv[1:]\n"
        "assert 'tensorflow' not in sys.modules\n"
        "np.save(output, tfsr.from_preset(run).upscale(np.load(image)[None], size=(40, 37)))"
    )
    output = trained.parent / "output.npy"
    subprocess.run(
        [python, "-c", script, trained, trained.parent / "image.npy", output],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)},
        check=True,
    )
    np.testing.assert_allclose(np.load(output), expected, atol=1e-5)


STEPS = """
import sys
import keras
import numpy as np
from tfsr.training.muon import Muon

rng = np.random.default_rng(0)
shapes = [(3, 3, 6, 8), (3, 3, 6, 8), (1, 1, 8, 54), (8,), (2, 8), (3, 3, 8, 3), (54, 8)]
for name, optimizer in (
    ("muon", Muon(0.01, weight_decay=0.1, global_clipnorm=1.0)),
    ("adamw", keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=1.0)),
):
    variables = [keras.Variable(rng.normal(size=s).astype("float32")) for s in shapes]
    for _ in range(3):
        optimizer.apply(
            [keras.ops.convert_to_tensor(rng.normal(size=s).astype("float32")) for s in shapes],
            variables,
        )
    np.savez(f"{sys.argv[1]}-{name}.npz", *[keras.ops.convert_to_numpy(v) for v in variables])
"""


def test_optimizers_take_the_same_steps_under_jax_as_under_tensorflow(python, tmp_path):
    for backend, interpreter in (("jax", python), ("tensorflow", sys.executable)):
        environment = {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
        command = [interpreter, "-c", STEPS, tmp_path / backend]
        subprocess.run(command, env={**os.environ, **environment}, check=True)
    for name in ("muon", "adamw"):
        found, expected = (np.load(tmp_path / f"{b}-{name}.npz") for b in ("jax", "tensorflow"))
        for key in expected:
            np.testing.assert_allclose(found[key], expected[key], atol=2e-5, err_msg=name)


def test_runs_are_measured_and_used(trained, tfsr):
    images = trained.parent / "images"
    done = tfsr("evaluate", "--preset", trained, "--data", images, "--lr-sides", "24")
    assert done.returncode == 0, done.stderr
    assert "bicubic" in done.stdout
    large = trained.parent / "large.png"
    done = tfsr("upscale", images / "0.png", "-o", large, "--scale", "1.5", "--preset", trained)
    assert done.returncode == 0, done.stderr
    assert read(large).shape == (72, 72, 3)


def test_a_queue_trains(tfsr, tmp_path):
    images = tiny.folder(tmp_path / "images")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe(images, jit_compile=True))
    queue = tmp_path / "list.yaml"
    queue.write_text(f"runs: {{a: {{recipe: {recipe}, output: {tmp_path / 'run'}}}}}")
    done = tfsr("queue", "run", queue)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("a: done, 6 steps, best ")


@pytest.mark.parametrize("kind", ["tflite", "saved-model"])
def test_exports_say_in_one_line_what_they_need(kind, tfsr, tmp_path):
    sizes = ["--lr-size", "16x16", "--scales", "2"] if kind == "tflite" else []
    done = tfsr("export", kind, *sizes, "-o", tmp_path / "out")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("tfsr: this needs TensorFlow") and "pip install tensorflow" in line
    assert not (tmp_path / "out").exists()
