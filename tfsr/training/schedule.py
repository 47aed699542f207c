"""The learning rate over a run."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.training.recipe import Schedule, Training


@keras.saving.register_keras_serializable("tfsr")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A recipe's learning rate: warm-up, then a cosine or steps.

    Where the cosine begins and ends is kept in a variable of the optimizer, so that the length of a
    run can be decided while it is trained (`training.steps: auto`) and nothing is compiled anew.

    Args:
        schedule: what the recipe says.
        start: int. The step at which the cosine begins.
        end: int or None. The step at which it has come to 0; None: not decided, the rate stays.
    """

    def __init__(self, schedule: Schedule, start: int, end: int | None) -> None:
        self.schedule = schedule
        self._span: Any = np.array([start, end or 0], np.float32)

    def attach(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Keep the span in a variable of the optimizer whose rate this is, before it is built."""
        # float32: XLA on a GPU refuses int32 variables, which TensorFlow keeps on the CPU.
        variable = optimizer.add_variable(
            (2,), dtype="float32", aggregation="only_first_replica", name="schedule"
        )
        variable.assign(self._span)
        self._span = variable

    def set_span(self, start: int, end: int | None) -> None:
        """Decide where the cosine begins and ends."""
        span = np.array([start, end or 0], np.float32)
        if isinstance(self._span, np.ndarray):
            self._span = span
        else:
            self._span.assign(span)

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = ops.cast(step, "float32")
        schedule = self.schedule
        if schedule.decay == "cosine":
            span = ops.cast(ops.convert_to_tensor(self._span), "float32")
            length = ops.maximum(span[1] - span[0], 1.0)
            progress = ops.clip((step - span[0]) / length, 0.0, 1.0)
            progress = ops.where(span[1] > 0, progress, 0.0)
            rate = schedule.initial * 0.5 * (1.0 + ops.cos(math.pi * progress))
        else:
            passed = [ops.cast(step >= boundary, "float32") for boundary in schedule.boundaries]
            drops = sum(passed, start=ops.zeros_like(step))
            rate = schedule.initial * ops.power(schedule.factor, drops)
        if schedule.warmup:
            rate = rate * ops.minimum(step / schedule.warmup, 1.0)
        return rate

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        start, end = (int(x) for x in ops.convert_to_numpy(self._span))
        return {"schedule": asdict(self.schedule), "start": start, "end": end or None}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRate:
        """The learning rate of what `get_config` gave."""
        return cls(**{**config, "schedule": Schedule(**config["schedule"])})


def learning_rate(training: Training) -> LearningRate:
    """The learning rate of a recipe."""
    return LearningRate(training.learning_rate, *cosine_span(training))


def cosine_span(training: Training) -> tuple[int, int | None]:
    """The steps at which a recipe's cosine begins and ends; None where `steps` is "auto"."""
    schedule = training.learning_rate
    end = None if training.steps == "auto" else training.steps
    return max(schedule.warmup, schedule.decay_start), end
