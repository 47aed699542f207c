"""From a recipe to a model that `fit` can train, on its devices."""

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
    recipe: Recipe, devices: Distribution | None = None, initialise: bool = True
) -> AnyModel:
    """The recipe's model, seeded and compiled with its loss, optimizer and schedule.

    Args:
        recipe: the recipe.
        devices: what it will be trained on; one device if not given.
        initialise: bool. Whether it begins from the weights that `init` names, if any; a run that
            goes on has its own. Defaults to True.

    Raises:
        RecipeError: if `init` names no preset, or one of another model; or the teacher is no
            preset, or cannot take the samples.
    """
    devices = devices or Distribution("one")
    training = recipe.training
    with devices.building():
        teacher = load_teacher(recipe)
        keras.utils.set_random_seed(recipe.seed)
        model = recipe.build_model()
        model_class: Any = type(model)
        if devices.workers > 1:
            from tfsr.training.workers import across_workers

            model_class = across_workers(model_class)
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
    if recipe.init is not None and initialise:
        _initialise(model, recipe.init)
    return model


def _initialise(model: AnyModel, preset: str) -> None:
    try:
        source = from_preset(preset)
        # A run keeps its branches; a recipe whose encoder is folded takes what they amount to.
        if getattr(model.encoder, "folded", False):
            source = folded(source)
        model.set_weights(source.get_weights())
    except PresetError as error:
        raise RecipeError(f"init: {error}") from error
    except ValueError as error:
        raise RecipeError(f"init: {preset} is of another model than the recipe's") from error
