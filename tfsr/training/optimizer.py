"""The optimizer of a recipe, with its schedule, clipping, weight decay and moving average."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.training.distribution import Distribution
from tfsr.training.learning_rate import LearningRate, cosine_span
from tfsr.training.muon import Muon
from tfsr.training.recipe import TrainingConfig

_CLASSES = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW, "muon": Muon}


def make_optimizer(
    training: TrainingConfig, distribution: Distribution
) -> keras.optimizers.Optimizer:
    """Make a recipe's optimizer, in the distribution's scope; its `schedule` is the rate."""
    config = training.optimizer
    rate = LearningRate(training.learning_rate, *cosine_span(training))
    arguments: dict[str, Any] = {
        "learning_rate": rate,
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
    optimizer_class = _CLASSES[config.name]
    if training.clip_norm is not None and distribution.strategy is not None:
        from tfsr.training.replicas import clipped_across_replicas

        optimizer_class = clipped_across_replicas(optimizer_class, training.clip_norm)
    else:
        arguments["global_clipnorm"] = training.clip_norm
    optimizer = optimizer_class(**arguments)
    rate.attach(optimizer)
    optimizer.schedule = rate
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
