"""Several devices, and several processes, train to what one device does."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfsr.errors import InvalidArgument, RecipeError, TrainingError
from tfsr.training import recipe_files as recipes
from tfsr.training.distribution import Distribution, distribution
from tfsr.training.optimizer import LearningRate, RecipeAdam, RecipeAdamW, RecipeMuon
from tfsr.training.recipe import ScheduleConfig

SCRIPT = Path(__file__).with_name("strategies.py")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Twenty steps, of which ten are an epoch."""
    base = tmp_path_factory.mktemp("distributed")
    # Clipped in every step. Plain SGD takes no notice of that, nor of the moving average.
    own = {
        "clip_norm": 0.01,
        "ema": 0.9,
        "optimizer": {"name": "muon", "weight_decay": 0.1},
        "learning_rate": {"initial": 3e-3, "decay": "cosine", "warmup": 3},
        "loss": ["charbonnier", {"name": "fft", "weight": 0.1}],
        "teacher": {"preset": str(tiny.teacher(base / "teacher")), "weight": 0.25},
    }
    images = tiny.folder(base / "images", count=5)
    content = tiny.recipe(images, steps=20, steps_per_epoch=10, **own)
    content["data"]["sampling"] |= {"batch": 4, "points": "patch"}
    content["validation"] = {"lr_sizes": [24], "images": 2}
    return tiny.write_recipe(base / "r.yaml", content)


@pytest.fixture(scope="module")
def runs(recipe):
    """One process: the runs of one device, and those of two mirrored ones."""
    base = recipe.parent
    names = [f"{o}:{s}" for o in ("sgd", "own") for s in ("single", "mirrored")]
    process = start(recipe, "2", *(f"{name}={base / name.replace(':', '-')}" for name in names))
    _, printed = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return base


def start(recipe, devices, *arguments, task=None):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CONFIG"}
    if task is not None:
        environment["TF_CONFIG"] = json.dumps(task)
    return subprocess.Popen(
        [sys.executable, SCRIPT, recipe, devices, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_same_run(found, expected):
    """The same loss, validation, weights and optimizer."""
    rows, expected_rows = (
        list(csv.DictReader(open(run / "history.csv", newline=""))) for run in (found, expected)
    )
    assert len(rows) == len(expected_rows) == 2
    for row, expected_row in zip(rows, expected_rows, strict=True):
        assert row.keys() == expected_row.keys()
        assert float(row["loss"]) == pytest.approx(float(expected_row["loss"]), abs=1e-5)
        # 8-bit outputs: where one colour is rounded the other way, PSNR moves in its third place.
        assert float(row["val_psnr"]) == pytest.approx(float(expected_row["val_psnr"]), abs=1e-2)
    values, expected_values = (
        arrays(run / "checkpoints" / "step-00000020" / "model.weights.h5")
        for run in (found, expected)
    )
    assert values.keys() == expected_values.keys()
    for name, value in values.items():
        np.testing.assert_allclose(value, expected_values[name], atol=1e-5, err_msg=name)


def arrays(path):
    values = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                values.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return values


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "own"])
def test_two_mirrored_replicas_reach_what_one_device_does(optimizer, runs):
    check_same_run(runs / f"{optimizer}-mirrored", runs / f"{optimizer}-single")
    record = json.loads((runs / f"{optimizer}-mirrored" / "run.json").read_text())
    assert (record["starts"][0]["strategy"], record["starts"][0]["replicas"]) == ("mirrored", 2)


@pytest.mark.slow
def test_two_workers_one_killed_and_started_again_reach_it_too(runs, recipe):
    ports = free_ports(2)
    cluster = {"worker": [f"localhost:{port}" for port in ports]}

    def workers():
        # The second worker's directory stays empty: the first one shares its state.
        return [
            start(
                recipe,
                "1",
                f"sgd:multi-worker={runs / f'worker-{index}'}",
                task={"cluster": cluster, "task": {"type": "worker", "index": index}},
            )
            for index in range(2)
        ]

    first, second = workers()
    try:
        checkpoint = runs / "worker-0" / "checkpoints" / "step-00000010"
        while not checkpoint.exists() and first.poll() is None:
            time.sleep(0.01)
        second.send_signal(signal.SIGKILL)
        _, printed = first.communicate(timeout=60)
        assert first.returncode == 1
        assert "TrainingError: another worker was lost" in printed.splitlines()[-1]
    finally:
        first.kill()
        second.kill()

    again = workers()
    for process in again:
        _, printed = process.communicate(timeout=120)
        assert process.returncode == 0, printed
    check_same_run(runs / "worker-0", runs / "sgd-single")
    assert not (runs / "worker-1").exists()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.parametrize("key, value", [("gradient_accumulation_steps", 2), ("jit_compile", True)])
@pytest.mark.parametrize("name", ["mirrored", "multi-worker"])
def test_settings_that_keras_breaks_under_a_strategy_are_errors(key, value, name):
    recipe = recipes.parse(tiny.recipe("images", **{key: value}))
    Distribution("single").check(recipe)
    with pytest.raises(RecipeError, match=f"training.{key} .*strategy {name}"):
        Distribution(name, replicas=2, strategy=tf.distribute.get_strategy()).check(recipe)


def test_the_global_clipnorm_of_keras_suggests_clip_norm():
    with pytest.raises(RecipeError, match="training.global_clipnorm.*Did you mean 'clip_norm'"):
        recipes.parse(tiny.recipe("images", global_clipnorm=1.0))


def test_the_batch_must_be_shared_equally():
    recipe = recipes.parse(tiny.recipe("images"))
    with pytest.raises(RecipeError, match="data.sampling.batch .* 3 replicas"):
        Distribution("mirrored", replicas=3).check(recipe)


def test_unknown_strategies_are_reported_with_the_nearest():
    with pytest.raises(InvalidArgument, match="Did you mean 'mirrored'"):
        distribution("miror")


def test_one_device_is_found(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert distribution("auto") == distribution("single") == Distribution("single")


@pytest.mark.parametrize(
    "config, word",
    [
        (None, "TF_CONFIG"),
        ("{", "TF_CONFIG"),
        ("[]", "TF_CONFIG"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "TF_CONFIG"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            "task",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "ps", "index": 0}}',
            "task",
        ),
    ],
)
def test_a_cluster_that_is_invalid_is_reported(config, word, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(TrainingError, match=word) as caught:
        distribution("multi-worker")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("optimizer_class", [RecipeAdam, RecipeAdamW, RecipeMuon])
def test_clipping_under_a_strategy_is_keras_own_on_one_device(optimizer_class):
    variables = [[keras.Variable(np.ones(shape)) for shape in ((3, 4), (4,))] for _ in range(2)]
    gradients = [np.eye(3, 4, dtype="float32") * 2, np.arange(4.0, dtype="float32")]
    for clip, values in zip(("global_clipnorm", "replica_clipnorm"), variables, strict=True):
        rate = LearningRate(ScheduleConfig(initial=0.1), 0, None)
        optimizer = optimizer_class(learning_rate=rate, **{clip: 0.5})
        optimizer.apply([tf.constant(g) for g in gradients], values)
    for expected, found in zip(*variables, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-7)
