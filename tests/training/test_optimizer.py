import math

import keras
import numpy as np
import pytest
import tiny

from tfsr.training import recipe_files as recipes
from tfsr.training.distribution import Distribution
from tfsr.training.optimizer import LearningRate, cosine_span, make_optimizer
from tfsr.training.recipe import ScheduleConfig, TrainingConfig


def rates(schedule, steps, at):
    """The learning rate at some steps, as the optimizer asks for it."""
    training = TrainingConfig(steps, learning_rate=schedule)
    rule = LearningRate(schedule, *cosine_span(training))
    return [float(rule(step)) for step in at]


def test_steps_drop_the_rate_at_the_boundaries_themselves():
    schedule = ScheduleConfig(initial=1e-3, boundaries=(10, 20), factor=0.1)
    found = rates(schedule, 30, [0, 9, 10, 19, 20, 29])
    np.testing.assert_allclose(found, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], rtol=1e-5)


def test_without_boundaries_the_rate_is_constant():
    np.testing.assert_allclose(
        rates(ScheduleConfig(initial=2e-4), 30, [0, 15, 30]), 2e-4, rtol=1e-6
    )


def test_the_cosine_falls_to_nothing():
    schedule = ScheduleConfig(initial=1e-3, decay="cosine")
    expected = [1e-3 * 0.5 * (1 + math.cos(math.pi * step / 100)) for step in (0, 25, 50, 99)]
    np.testing.assert_allclose(rates(schedule, 100, (0, 25, 50, 99)), expected, rtol=1e-4)
    np.testing.assert_allclose(rates(schedule, 100, [100]), 0, atol=1e-9)


def test_the_warmup_rises_and_the_cosine_follows():
    schedule = ScheduleConfig(initial=1e-3, decay="cosine", warmup=20)
    found = rates(schedule, 120, [0, 10, 20, 70, 120])
    np.testing.assert_allclose(found, [0, 5e-4, 1e-3, 5e-4, 0], atol=1e-8)


@pytest.mark.parametrize(
    "boundaries, expected",
    [((), [0, 5e-4, 1e-3, 1e-3, 1e-3]), ((30,), [0, 5e-4, 1e-3, 1e-3, 1e-4])],
)
def test_the_warmup_rises_and_the_steps_follow(boundaries, expected):
    schedule = ScheduleConfig(initial=1e-3, boundaries=boundaries, factor=0.1, warmup=20)
    found = rates(schedule, 60, [0, 10, 20, 29, 30])
    np.testing.assert_allclose(found, expected, atol=1e-8)


def made(**training):
    """The optimizer of a recipe with these keys under `training`."""
    return make_optimizer(
        recipes.parse(tiny.recipe("x", **training)).training, Distribution("single")
    )


@pytest.mark.parametrize("name", ["adam", "adamw", "muon"])
def test_a_recipe_decides_the_optimizer(name):
    optimizer = made(
        optimizer={"name": name, "epsilon": 1e-7, "beta_2": 0.99},
        ema=0.99,
        clip_norm=0.5,
        gradient_accumulation_steps=2,
    )
    assert type(optimizer).__name__.lower() == f"recipe{name}"
    config = optimizer.get_config()
    assert config["use_ema"] and config["ema_momentum"] == 0.99
    assert (config["global_clipnorm"], config["gradient_accumulation_steps"]) == (0.5, 2)
    assert (config["epsilon"], config["beta_2"]) == (1e-7, 0.99)


def test_adam_without_anything_is_the_default():
    plain = made()
    assert isinstance(plain, keras.optimizers.Adam)
    assert not plain.use_ema and plain.global_clipnorm is None and not plain.weight_decay


def test_the_cosine_can_begin_late():
    schedule = ScheduleConfig(initial=1e-3, decay="cosine", warmup=20, decay_start=60)
    found = rates(schedule, 100, [10, 20, 60, 80, 100])
    np.testing.assert_allclose(found, [5e-4, 1e-3, 1e-3, 5e-4, 0], atol=1e-8)


def test_the_length_of_the_cosine_can_be_decided_later():
    schedule = ScheduleConfig(initial=1e-3, decay="cosine", warmup=20)
    open_end = LearningRate(schedule, 20, None)
    optimizer = keras.optimizers.Adam(open_end)
    open_end.attach(optimizer)
    np.testing.assert_allclose([float(open_end(s)) for s in (10, 20, 900)], [5e-4, 1e-3, 1e-3])
    open_end.set_span(40, 140)
    found = [float(open_end(step)) for step in (10, 40, 90, 140)]
    np.testing.assert_allclose(found, [5e-4, 1e-3, 5e-4, 0], atol=1e-8)
    # It is saved with the optimizer.
    assert any(np.array_equal(v.numpy(), [40, 140]) for v in optimizer.variables)
