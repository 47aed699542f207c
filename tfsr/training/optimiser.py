"""The optimiser of a recipe: Adam, its schedule, its moving average and its clipping."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.training.distribution import Distribution
from tfsr.training.recipe import Schedule, Training


def optimiser(training: Training, distribution: Distribution) -> keras.optimizers.Optimizer:
    """A recipe's optimiser, to be made in the distribution's scope.

    Args:
        training: what the recipe says.
        distribution: where it will run.
    """
    arguments = {
        "learning_rate": learning_rate(training.learning_rate, training.steps),
        "epsilon": training.epsilon,
        "use_ema": training.ema is not None,
        "ema_momentum": training.ema or 0.99,
        "gradient_accumulation_steps": training.gradient_accumulation_steps,
    }
    if training.clip_norm is not None and distribution.strategy is not None:
        from tfsr.training.clipping import ClippedAdam

        return ClippedAdam(clip_norm=training.clip_norm, **arguments)
    return keras.optimizers.Adam(global_clipnorm=training.clip_norm, **arguments)


def learning_rate(
    schedule: Schedule, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule | float:
    """The Keras schedule of a recipe's learning rate over `steps` steps, or its one rate."""
    if schedule.decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if schedule.warmup else schedule.initial,
            decay_steps=max(1, steps - schedule.warmup),
            warmup_target=schedule.initial if schedule.warmup else None,
            warmup_steps=schedule.warmup,
        )
    if not schedule.boundaries and not schedule.warmup:
        return schedule.initial
    rates = [schedule.initial * schedule.factor**i for i in range(len(schedule.boundaries) + 1)]
    # A boundary belongs to what comes after it, as published; Keras counts it to what was before.
    boundaries = [step - 1 for step in schedule.boundaries]
    rate = (
        keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
        if boundaries
        else schedule.initial
    )
    return WarmUp(rate, schedule.warmup) if schedule.warmup else rate


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A rate, or a schedule, that is reached in a straight line from 0.

    Args:
        rate: what follows the warm-up; it counts steps from the start of the run.
        steps: of the warm-up, at least 1.
    """

    def __init__(self, rate: Any, steps: int) -> None:
        self.rate = rate
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        rate = self.rate(step) if callable(self.rate) else self.rate
        return rate * ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"rate": self.rate, "steps": self.steps}
