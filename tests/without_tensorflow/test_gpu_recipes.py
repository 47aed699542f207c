"""What recipes/gpu does on rented GPUs, rehearsed where there is JAX and no TensorFlow."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tiny
from pages import ROOT

from tfsr.presets import read_metadata


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
    done = rehearse(python, recipe, images, output, 2)  # Minutes: a busy machine compiles for one.
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
