"""The optimizer of a recipe: learning rate, clipping, weight decay and moving average."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.training.distribution import Distribution
from tfsr.training.muon import Muon
from tfsr.training.recipe import ScheduleConfig, TrainingConfig


def make_optimizer(
    training: TrainingConfig, distribution: Distribution
) -> keras.optimizers.Optimizer:
    """Make a recipe's optimizer, in the distribution's scope; its `schedule` is the rate."""
    config = training.optimizer
    arguments: dict[str, Any] = {
        "learning_rate": LearningRate(training.learning_rate, *cosine_span(training)),
        "beta_1": config.beta_1,
        "beta_2": config.beta_2,
        "epsilon": config.epsilon,
        "use_ema": training.ema is not None,
        "ema_momentum": training.ema or 0.99,
        "gradient_accumulation_steps": training.gradient_accumulation_steps,
    }
    if config.momentum is not None:
        arguments["momentum"] = config.momentum
    if config.name != "adam":
        arguments["weight_decay"] = config.weight_decay
    clip = "global_clipnorm" if distribution.strategy is None else "replica_clipnorm"
    return _CLASSES[config.name](**arguments, **{clip: training.clip_norm})


@keras.saving.register_keras_serializable("tfsr")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A recipe's learning rate: warm-up, then a cosine or steps.

    The span of the cosine is a variable of the optimizer, so that `training.steps: auto` can decide
    the length of a run while it is trained, without compiling again.

    Args:
        schedule: of the recipe.
        start: int. First step of the cosine.
        end: int or None. The step at which it is 0; None: not decided, the rate stays.
    """

    def __init__(self, schedule: ScheduleConfig, start: int, end: int | None) -> None:
        self.schedule = schedule
        self._span: Any = np.array([start, end or 0], np.float32)

    def attach(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Move the span to a variable of the optimizer, which is not built yet."""
        # float32: XLA on a GPU refuses int32 variables, which TensorFlow keeps on the CPU.
        variable = optimizer.add_variable(
            (2,), dtype="float32", aggregation="only_first_replica", name="schedule"
        )
        variable.assign(self._span)
        self._span = variable

    def set_span(self, start: int, end: int | None) -> None:
        """Set the span of the cosine of an attached schedule."""
        self._span.assign(np.array([start, end or 0], np.float32))

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
        """Rebuild the learning rate of `get_config`."""
        return cls(**{**config, "schedule": ScheduleConfig(**config["schedule"])})


class _RecipeOptimizer(keras.optimizers.Optimizer):
    """Mixin of a recipe's optimizer, as which a saved model finds it again.

    Args:
        replica_clipnorm: float, optional. `global_clipnorm` of all replicas together, which Keras
            clips one by one. Defaults to none.
        **kwargs: of the optimizer. A `LearningRate` becomes its `schedule`.
    """

    def __init__(self, replica_clipnorm: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.replica_clipnorm = replica_clipnorm
        if isinstance(self._learning_rate, LearningRate):
            self.schedule = self._learning_rate
            self.schedule.attach(self)
        self.exclude_from_weight_decay(var_names=["bias"])

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Update the variables by their gradients."""
        if self.replica_clipnorm is not None:
            from tfsr.training.replicas import clip_across_replicas

            grads = clip_across_replicas(grads, self.replica_clipnorm)
        return super().apply(grads, trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "replica_clipnorm": self.replica_clipnorm}


@keras.saving.register_keras_serializable("tfsr")
class RecipeAdam(_RecipeOptimizer, keras.optimizers.Adam):
    """`keras.optimizers.Adam` of a recipe."""


@keras.saving.register_keras_serializable("tfsr")
class RecipeAdamW(_RecipeOptimizer, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` of a recipe."""


@keras.saving.register_keras_serializable("tfsr")
class RecipeMuon(_RecipeOptimizer, Muon):
    """`Muon` of a recipe."""


_CLASSES = {"adam": RecipeAdam, "adamw": RecipeAdamW, "muon": RecipeMuon}


def cosine_span(training: TrainingConfig) -> tuple[int, int | None]:
    """The first and last step of a recipe's cosine; the last is None where `steps` is "auto"."""
    schedule = training.learning_rate
    end = None if training.steps == "auto" else training.steps
    return max(schedule.warmup, schedule.decay_start), end
