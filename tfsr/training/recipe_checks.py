"""Whether what a recipe says makes sense together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tfsr.errors import InvalidArgument, RecipeError
from tfsr.metrics import check_protocol
from tfsr.models import from_config
from tfsr.training.recipe import Recipe


def check(recipe: Recipe) -> None:
    """Check a recipe whose values are of the right types.

    Raises:
        RecipeError: naming the key.
    """
    try:
        recipe.data.sampling.validate()
    except InvalidArgument as error:
        raise RecipeError(f"data.sampling: {error}") from error
    _check_model(recipe.model, recipe.parameters)
    validation, training, rate = recipe.validation, recipe.training, recipe.training.learning_rate
    for name, value in (
        ("training.learning_rate.initial", rate.initial),
        ("training.learning_rate.factor", rate.factor),
        ("training.epsilon", training.epsilon),
        ("training.clip_norm", training.clip_norm),
    ):
        if value is not None and not 0 < value < math.inf:
            raise RecipeError(f"{name} must be a number above 0; got {value}")
    if training.ema is not None and not 0 < training.ema < 1:
        raise RecipeError(f"training.ema must be between 0 and 1; got {training.ema}")
    if not 0 <= recipe.seed < 2**32:
        raise RecipeError(f"seed must be between 0 and 2^32 - 1; got {recipe.seed}")
    if rate.warmup < 0:
        raise RecipeError(f"training.learning_rate.warmup must be at least 0; got {rate.warmup}")
    if rate.boundaries and rate.decay != "steps":
        raise RecipeError("training.learning_rate.boundaries goes with decay 'steps' only")
    if list(rate.boundaries) != sorted({step for step in rate.boundaries if step > 0}):
        raise RecipeError(
            f"training.learning_rate.boundaries must rise, from 1 on; got {list(rate.boundaries)}"
        )
    _check_samples_fit(recipe)
    for name, value in (
        ("training.steps", recipe.training.steps),
        ("training.steps_per_epoch", recipe.training.steps_per_epoch),
        ("validation.pictures", validation.pictures),
        ("validation.patience", validation.patience),
        ("training.gradient_accumulation_steps", training.gradient_accumulation_steps),
        *(("validation.lr_sizes", size) for size in validation.lr_sizes),
        *(("validation.scales", scale) for scale in validation.scales),
    ):
        if value is not None and not 1 <= value < math.inf:
            raise RecipeError(f"{name} must be at least 1; got {value}")
    if training.steps % training.steps_per_epoch:
        raise RecipeError(
            f"training.steps must be a multiple of training.steps_per_epoch; got {training.steps} "
            f"and {training.steps_per_epoch}"
        )
    if not recipe.reductions():
        raise RecipeError("validation needs lr_sizes or scales")
    try:
        check_protocol(validation.protocol)
    except InvalidArgument as error:
        raise RecipeError(f"validation.{error}") from error


def _check_samples_fit(recipe: Recipe) -> None:
    """A fixed-scale model is trained on whole patches of its scale, all others on query points."""
    sampling, scale = recipe.data.sampling, recipe.model.get("scale")
    if scale is None:
        if sampling.queries is None:
            raise RecipeError("data.sampling.queries must be a number for a model with a decoder")
        return
    fixed = sampling.mode == "crops" and sampling.scale == (scale, scale)
    if sampling.queries is not None or not fixed:
        raise RecipeError(
            f"a model of scale {scale} is trained with data.sampling mode crops, "
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
