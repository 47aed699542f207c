"""Compiled models are saved as .keras files, and train on from there as if nothing had been."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR, losses
from tfsr.training.distribution import Distribution
from tfsr.training.optimizer import make_optimizer
from tfsr.training.recipe import OptimizerConfig, ScheduleConfig, TrainingConfig

ROOT = Path(__file__).parents[2]
GENERATOR = np.random.default_rng(0)
INPUTS = {
    "image": GENERATOR.random((4, 8, 8, 3), np.float32),
    "coordinates": GENERATOR.uniform(-1, 1, (4, 6, 2)).astype(np.float32),
    "cell": np.full((4, 6, 2), 0.1, np.float32),
}
COLOURS = GENERATOR.random((4, 6, 3), np.float32)
CONFIGS = {
    "adam": {"learning_rate": ScheduleConfig(initial=1e-2, decay="cosine", warmup=2)},
    "adamw": {"learning_rate": ScheduleConfig(initial=1e-2, warmup=2, boundaries=(3,)), "ema": 0.9},
    "muon": {"learning_rate": ScheduleConfig(initial=1e-2, warmup=1), "clip_norm": 0.1},
}


def compiled(name):
    keras.utils.set_random_seed(0)
    model = ImplicitSR.from_config(tiny.MODEL)
    optimizer = OptimizerConfig(name=name, weight_decay=0.1)
    config = TrainingConfig(steps=8, optimizer=optimizer, **CONFIGS[name])
    loss = losses.from_config("charbonnier")
    model.compile(make_optimizer(config, Distribution("single")), loss, jit_compile=False)
    return model


def fit(model):
    model.fit(INPUTS, COLOURS, batch_size=2, shuffle=False, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_a_loaded_model_trains_on_as_if_uninterrupted(name, tmp_path):
    model = compiled(name)
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert json.dumps(loaded.optimizer.get_config()) == json.dumps(model.optimizer.get_config())
    for again in (model, loaded):
        fit(again)
    assert int(loaded.optimizer.iterations) == 4
    for found, expected in zip(
        [*loaded.get_weights(), *loaded.optimizer.variables],
        [*model.get_weights(), *model.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.slow
def test_importing_the_package_is_enough_to_load(tmp_path):
    model = compiled("muon")
    model.save(tmp_path / "model.keras")
    program = (
        "import keras, tfsr\n"
        "model = keras.models.load_model('model.keras')\n"
        "print(type(model).__name__, type(model.optimizer).__name__, type(model.loss).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["ImplicitSR", "RecipeMuon", "Charbonnier"], done.stderr
