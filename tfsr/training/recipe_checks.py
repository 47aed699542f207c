"""Whether what a recipe says makes sense together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tfsr import losses
from tfsr.data.sources import check_sources
from tfsr.errors import InvalidArgument, RecipeError, check_choice
from tfsr.inference.memory import parse_memory
from tfsr.metrics import PROTOCOLS
from tfsr.models import from_config
from tfsr.training.recipe import Optimizer, Recipe, Training

_POSITIVE = (
    "steps",
    "steps_per_epoch",
    "steps_per_execution",
    "checkpoint_steps",
    "gradient_accumulation_steps",
)


def check(recipe: Recipe) -> None:
    """Check a recipe whose values are of the right types.

    Raises:
        RecipeError: naming the key.
    """
    try:
        recipe.data.sampling.validate()
    except InvalidArgument as error:
        raise RecipeError(f"data.sampling: {error}") from error
    try:
        check_sources(recipe.data.sources, recipe.data.sampling)
    except InvalidArgument as error:
        raise RecipeError(f"data.train: {error}") from error
    _check_model(recipe.model, recipe.parameters)
    validation, training, rate = recipe.validation, recipe.training, recipe.training.learning_rate
    _check_optimizer(training.optimizer)
    _check_loss(recipe)
    if training.teacher is not None and not 0 < training.teacher.weight <= 1:
        raise RecipeError(
            "training.teacher.weight must be above 0 and at most 1; "
            f"received {training.teacher.weight}"
        )
    for name, value in (
        ("training.learning_rate.initial", rate.initial),
        ("training.learning_rate.factor", rate.factor),
        ("training.clip_norm", training.clip_norm),
    ):
        if value is not None and not 0 < value < math.inf:
            raise RecipeError(f"{name} must be a number above 0; got {value}")
    if training.ema is not None and not 0 < training.ema < 1:
        raise RecipeError(f"training.ema must be between 0 and 1; got {training.ema}")
    if not 0 <= recipe.seed < 2**32:
        raise RecipeError(f"seed must be between 0 and 2^32 - 1; got {recipe.seed}")
    for name in ("warmup", "decay_start"):
        value = getattr(rate, name)
        if value < 0:
            raise RecipeError(f"training.learning_rate.{name} must be at least 0; got {value}")
    if rate.boundaries and rate.decay != "steps":
        raise RecipeError("training.learning_rate.boundaries goes with decay 'steps' only")
    if list(rate.boundaries) != sorted({step for step in rate.boundaries if step > 0}):
        raise RecipeError(
            f"training.learning_rate.boundaries must rise, from 1 on; got {list(rate.boundaries)}"
        )
    _check_samples_fit(recipe)
    for name, value in (
        *((f"training.{name}", _number(getattr(training, name))) for name in _POSITIVE),
        ("validation.images", validation.images),
        ("validation.patience", validation.patience),
        *(("validation.lr_sizes", size) for size in validation.lr_sizes),
        *(("validation.scales", scale) for scale in validation.scales),
    ):
        if value is not None and not 1 <= value < math.inf:
            raise RecipeError(f"{name} must be at least 1; got {value}")
    _check_steps(training)
    _check_cache(recipe.data.cache)
    try:
        labels = [reduction.label for reduction in recipe.reductions()]
    except InvalidArgument as error:
        raise RecipeError(f"validation.degradations: {error}") from error
    if not labels:
        raise RecipeError("validation needs lr_sizes or scales")
    if len(set(labels)) < len(labels):
        raise RecipeError(
            f"validation.degradations would have two figures of one name in {', '.join(labels)}: "
            "use each once, and one of clean and nn65"
        )
    check_choice("validation.protocol", validation.protocol, PROTOCOLS, RecipeError)


def _number(value: int | str | None) -> int | None:
    return None if isinstance(value, str) else value


def _check_steps(training: Training) -> None:
    if training.steps_per_epoch == "auto" and training.steps != "auto":
        raise RecipeError("training.steps_per_epoch can be auto only where training.steps is")
    for name in ("steps", "steps_per_epoch"):
        value, execution = getattr(training, name), training.steps_per_execution
        if value != "auto" and value % execution:
            raise RecipeError(
                f"training.{name} must be a multiple of training.steps_per_execution; got {value} "
                f"and {execution}"
            )
    minutes = training.checkpoint_minutes
    if minutes is not None and not 0 < minutes < math.inf:
        raise RecipeError(f"training.checkpoint_minutes must be above 0; got {minutes}")


def _check_cache(cache: str) -> None:
    try:
        parse_memory(cache)
    except InvalidArgument as error:
        raise RecipeError(f"data.cache: {error}") from error


def _check_optimizer(optimizer: Optimizer) -> None:
    for name in ("beta_1", "beta_2", "momentum"):
        value = getattr(optimizer, name)
        if value is not None and not 0 <= value < 1:
            raise RecipeError(f"training.optimizer.{name} must be in [0, 1); got {value}")
    if not 0 < optimizer.epsilon < math.inf:
        raise RecipeError(
            f"training.optimizer.epsilon must be a number above 0; got {optimizer.epsilon}"
        )
    if not 0 <= optimizer.weight_decay < math.inf:
        raise RecipeError(
            f"training.optimizer.weight_decay must be at least 0; got {optimizer.weight_decay}"
        )
    if optimizer.weight_decay and optimizer.name == "adam":
        raise RecipeError("training.optimizer.weight_decay goes with adamw and muon; got adam")
    if optimizer.momentum is not None and optimizer.name != "muon":
        raise RecipeError(f"training.optimizer.momentum goes with muon; got {optimizer.name}")


def _check_loss(recipe: Recipe) -> None:
    try:
        loss = losses.from_config(recipe.training.loss)
    except InvalidArgument as error:
        raise RecipeError(f"training.loss: {error}") from error
    sampling = recipe.data.sampling
    if loss.needs_patch and sampling.num_points is not None and sampling.points != "patch":
        raise RecipeError(
            f"training.loss: {_name_of(loss)} needs data.sampling.points: patch; "
            f"received {sampling.points}"
        )


def _name_of(loss: losses.Loss) -> str:
    """The name of the loss, or of that term of a sum, that needs a patch."""
    terms = loss.losses if isinstance(loss, losses.WeightedSum) else [loss]
    return next(term.name for term in terms if term.needs_patch)


def _check_samples_fit(recipe: Recipe) -> None:
    """A fixed-scale model is trained on whole patches of its scale, all others on query points."""
    sampling, scale = recipe.data.sampling, recipe.model.get("scale")
    if scale is None:
        if sampling.num_points is None:
            raise RecipeError("data.sampling.num_points must be given for a model with a decoder")
        return
    fixed = sampling.mode == "random_crop" and sampling.scale == (scale, scale)
    if sampling.num_points is not None or not fixed:
        raise RecipeError(
            f"a model of scale {scale} is trained with data.sampling mode random_crop, "
            f"scale [{scale}, {scale}] and queries empty"
        )


def _check_model(config: Mapping[str, Any], parameters: int | None) -> None:
    try:
        found = from_config(config).count_params()
    # Keras and Python say in their own words which value a layer cannot have.
    except (InvalidArgument, TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    if parameters not in (None, found):
        raise RecipeError(f"parameters: the recipe says {parameters}, and its model has {found}")
