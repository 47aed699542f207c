"""Where there is JAX and no TensorFlow: models are trained, measured and used; the rest says so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny

from tfsr import from_preset
from tfsr.images import read
from tfsr.presets import read_metadata

ROOT = Path(__file__).parents[1]
PACKAGES = [
    *("jax", "keras>=3.15", "numpy", "pillow", "scipy", "tifffile", "h5py"),
    *("lazy-loader", "pydantic", "pyyaml", "rich", "typer"),
]


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """The interpreter of an environment that pip made, without TensorFlow."""
    folder = tmp_path_factory.mktemp("jax")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, *PACKAGES], check=True)
    with pytest.MonkeyPatch.context() as environment:
        # What one process has compiled, the next one need not.
        environment.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "compiled"))
        environment.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield folder / "bin" / "python"


@pytest.fixture(scope="session")
def tfsr(python):
    """The command line in that environment."""

    def run(*arguments):
        # Without KERAS_BACKEND: what is installed is used.
        environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
        return subprocess.run(
            [python, "-m", "tfsr", *map(str, arguments)],
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


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


def rehearse(python, *arguments, **environment):
    return subprocess.run(
        [ROOT / "recipes" / "gpu" / "run.sh", *map(str, arguments)],
        env={**os.environ, "PYTHON": str(python), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_for_a_gpu_can_be_rehearsed(python, tmp_path):
    images = tiny.folder(tmp_path / "images", count=14)
    content = tiny.recipe("no folder", jit_compile=True, optimizer="muon")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    output = tmp_path / "out"
    done = rehearse(python, recipe, images, output, 1)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (output / "log.txt").read_text()
    for words in (
        "parameters on cpu",
        "compiled in",
        "training for ",
        " a second",
        "epoch 1, step",
    ):
        assert words in log, words
    assert log == done.stdout
    assert {"best", "checkpoints", "history.csv", "run.json"} <= {p.name for p in output.iterdir()}
    record = json.loads((output / "run.json").read_text())
    # Of 14 images, every tenth is set aside.
    assert (record["images"]["count"], record["validation"]["count"]) == (12, 2)
    assert all(p.stat().st_size < 16e6 for p in output.rglob("*") if p.is_file())


def test_the_script_takes_the_folders_of_a_recipe(python, tmp_path):
    content = tiny.recipe("no folder", jit_compile=True)
    content["data"]["train"] = [
        {"folder": "large", "weight": 2, "degradation": "faces"},
        {"folder": "small", "hr_size": [24, 40]},
    ]
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    tiny.folder(tmp_path / "data" / "train" / "1-large", count=2)
    tiny.folder(tmp_path / "data" / "train" / "2-small", count=3, side=40)
    tiny.folder(tmp_path / "data" / "val", count=2)
    short = ("training.steps=4", "training.steps_per_epoch=4")
    done = rehearse(python, recipe, tmp_path / "data", tmp_path / "out", 5, *short)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["images"]["count"], record["validation"]["count"]) == (5, 2)


def by_jax(python, *arguments):
    done = subprocess.run(
        [python, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_samples_made_on_a_gpu_are_those_of_pillow(python):
    found = json.loads(by_jax(python, ROOT / "tests" / "gpu_samples.py"))
    assert len(found) == 12
    for differences in found:
        # In a rounding to 8 bits, sums of another order may differ.
        assert max(differences["lr"], differences["hr"]) < 1.01
        assert max(differences["rows"], differences["cell"]) < 1e-5 and differences["lines"]
    assert np.mean([differences["lr"] > 0.01 for differences in found]) < 0.3


def test_a_stage_of_the_presets_trains_and_becomes_a_preset(python, tfsr, tmp_path):
    tiny.folder(tmp_path / "data" / "faces", count=3)
    tiny.folder(tmp_path / "data" / "val", count=2)
    for name in ("faces", "val"):
        (tmp_path / "data" / f"{name}.complete").touch()
    sampling = {"window": 32, "lr_size": [32, 40], "points": "lattice", "degradation": "faces"}
    content = tiny.recipe(tmp_path / "data" / "faces", optimizer={"name": "muon"})
    content["data"]["sampling"] |= sampling
    recipe = tiny.write_recipe(tmp_path / "recipe.yaml", content)
    by_jax(python, "-c", ONE_FILE_OF_SAMPLES, ROOT / "recipes" / "gpu", recipe, tmp_path)
    said = by_jax(python, ROOT / "tests" / "gpu_stage.py", tmp_path)
    assert "with [8] degraded samples" in said and "done: " in said
    done = tfsr("save-preset", tmp_path / "faces", "-o", tmp_path / "preset")
    assert done.returncode == 0, done.stderr
    training = read_metadata(tmp_path / "preset")["provenance"]["training"]
    assert training.startswith("recipes/gpu/train_presets.py faces: ")
    assert training.endswith("2 clean of 12x12, 1 clean of 16x16, 2 degraded of 32x32")


# degraded.py, stopped after its first file.
ONE_FILE_OF_SAMPLES = """
import sys
sys.path.insert(0, sys.argv[1])
import degraded
degraded.KINDS = ((32, 8),)
degraded.count = lambda: range(1)
degraded.main(sys.argv[2], sys.argv[3] + "/degraded", "1", sys.argv[3] + "/data/faces")
"""


@pytest.mark.parametrize(
    "change, word",
    [({0: "nowhere.yaml"}, "RECIPE"), ({1: "nowhere"}, "DATA"), ({3: "soon"}, "MINUTES")],
)
def test_the_script_refuses_in_one_line(change, word, tmp_path):
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("no folder"))
    arguments = [recipe, tmp_path, tmp_path / "out", 2]
    for index, value in change.items():
        arguments[index] = value
    done = rehearse(sys.executable, *arguments)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    [line] = done.stderr.splitlines()
    assert f"{word} must be" in line
