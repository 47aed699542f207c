"""From a recipe to a compiled model, on its devices."""

from __future__ import annotations

from typing import Any

import keras

from tfsr import losses
from tfsr.errors import PresetError, RecipeError
from tfsr.models import AnyModel, folded
from tfsr.presets import from_preset
from tfsr.training.distillation import distilled, load_teacher
from tfsr.training.distribution import Distribution
from tfsr.training.optimizer import make_optimizer
from tfsr.training.recipe import Recipe


def compiled_model(
    recipe: Recipe, devices: Distribution | None = None, initialize: bool = True
) -> AnyModel:
    """Build the recipe's model, seeded and compiled with its loss, optimizer and schedule.

    Args:
        recipe: the recipe.
        devices: Distribution. Defaults to one device.
        initialize: bool. Whether to load the weights of `init_from`. Defaults to True.

    Raises:
        RecipeError: if `init_from` or the teacher cannot be loaded or does not fit.
    """
    devices = devices or Distribution("single")
    training = recipe.training
    with devices.building():
        teacher = load_teacher(recipe)
        keras.utils.set_random_seed(recipe.seed)
        model = recipe.build_model()
        model_class: Any = type(model)
        if devices.workers > 1:
            from tfsr.training.replicas import trainable_across_workers

            model_class = trainable_across_workers(model_class)
        if teacher is not None and training.teacher is not None:
            model_class = distilled(model_class, teacher, training.teacher.weight)
        if model_class is not type(model):
            keras.utils.set_random_seed(recipe.seed)
            model = model_class.from_config(model.get_config())
        model.compile(
            optimizer=make_optimizer(training, devices),
            loss=losses.from_config(training.loss),
            steps_per_execution=training.steps_per_execution,
            jit_compile="auto" if training.jit_compile is None else training.jit_compile,
        )
        model.optimizer.build(model.trainable_variables)
    if recipe.init_from is not None and initialize:
        _load_weights(model, recipe.init_from)
    return model


def _load_weights(model: AnyModel, preset: str) -> None:
    try:
        source = from_preset(preset)
        if getattr(model.encoder, "folded", False):
            source = folded(source)
        model.set_weights(source.get_weights())
    except PresetError as error:
        raise RecipeError(f"init_from: {error}") from error
    except ValueError as error:
        raise RecipeError(f"init_from: {preset} is not of the recipe's model") from error
