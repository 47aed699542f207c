import math

import keras
import numpy as np
import pytest
import tiny

from tfsr.training import recipe_files as recipes
from tfsr.training.distribution import Distribution
from tfsr.training.optimiser import learning_rate, optimiser
from tfsr.training.recipe import Schedule


def rates(schedule, steps, at):
    """The learning rate at some steps, as the optimiser asks for it."""
    rule = learning_rate(schedule, steps)
    return [float(rule(step) if callable(rule) else rule) for step in at]


def test_steps_drop_the_rate_at_the_boundaries_themselves():
    schedule = Schedule(initial=1e-3, boundaries=(10, 20), factor=0.1)
    found = rates(schedule, 30, [0, 9, 10, 19, 20, 29])
    np.testing.assert_allclose(found, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], rtol=1e-5)


def test_without_boundaries_the_rate_is_constant():
    np.testing.assert_allclose(rates(Schedule(initial=2e-4), 30, [0, 15, 30]), 2e-4, rtol=1e-6)


def test_the_cosine_falls_to_nothing():
    schedule = Schedule(initial=1e-3, decay="cosine")
    expected = [1e-3 * 0.5 * (1 + math.cos(math.pi * step / 100)) for step in (0, 25, 50, 99)]
    np.testing.assert_allclose(rates(schedule, 100, (0, 25, 50, 99)), expected, rtol=1e-4)
    np.testing.assert_allclose(rates(schedule, 100, [100]), 0, atol=1e-9)


def test_the_warmup_rises_and_the_cosine_follows():
    schedule = Schedule(initial=1e-3, decay="cosine", warmup=20)
    found = rates(schedule, 120, [0, 10, 20, 70, 120])
    np.testing.assert_allclose(found, [0, 5e-4, 1e-3, 5e-4, 0], atol=1e-8)


@pytest.mark.parametrize(
    "boundaries, expected",
    [((), [0, 5e-4, 1e-3, 1e-3, 1e-3]), ((30,), [0, 5e-4, 1e-3, 1e-3, 1e-4])],
)
def test_the_warmup_rises_and_the_steps_follow(boundaries, expected):
    schedule = Schedule(initial=1e-3, boundaries=boundaries, factor=0.1, warmup=20)
    found = rates(schedule, 60, [0, 10, 20, 29, 30])
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_recipe_decides_the_optimiser():
    training = recipes.parse(
        tiny.recipe("x", ema=0.99, clip_norm=0.5, gradient_accumulation_steps=2, epsilon=1e-7)
    ).training
    config = optimiser(training, Distribution("one")).get_config()
    assert config["use_ema"] and config["ema_momentum"] == 0.99
    assert (config["global_clipnorm"], config["gradient_accumulation_steps"]) == (0.5, 2)
    assert config["epsilon"] == 1e-7
    plain = optimiser(recipes.parse(tiny.recipe("x")).training, Distribution("one"))
    assert not plain.use_ema and plain.global_clipnorm is None
    assert isinstance(plain, keras.optimizers.Adam)
