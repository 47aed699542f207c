"""From a recipe to a compiled model, on its devices, perhaps with a teacher.

With a teacher, a trained model, the loss is (1 - w) * loss(target, output)
+ w * loss(teacher's output, output), with the recipe's loss in place of the cross-entropy of
Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", section 2, arXiv 1503.02531.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
from keras import ops

from tfsr import losses
from tfsr.errors import PresetError, RecipeError
from tfsr.models import AnyModel, folded, with_precision
from tfsr.models.sub_pixel import SubPixelSR
from tfsr.presets import check_files, from_preset
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
    with devices.scope():
        teacher = _load_teacher(recipe)
        keras.utils.set_random_seed(recipe.seed)
        model = recipe.build_model()
        model_class: Any = type(model)
        if devices.workers > 1:
            from tfsr.training.replicas import trainable_across_workers

            model_class = trainable_across_workers(model_class)
        if teacher is not None and training.teacher is not None:
            model_class = _distilled(model_class, teacher, training.teacher.weight)
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
        raise RecipeError(f"init_from: {preset} is of another model than the recipe's") from error


def with_teacher_checksum(recipe: Recipe) -> Recipe:
    """Add the sha256 of the teacher's weights: a run is resumed with the same teacher only."""
    teacher = recipe.training.teacher
    if teacher is None:
        return recipe
    try:
        [found] = [f.sha256 for f in check_files(teacher.preset) if f.path.suffix == ".h5"]
    except PresetError as error:
        raise RecipeError(f"training.teacher: {error}") from error
    if teacher.sha256 not in (None, found):
        raise RecipeError(
            f"training.teacher: {teacher.preset} has weights of sha256 {found}; the recipe has "
            f"{teacher.sha256}"
        )
    training = replace(recipe.training, teacher=replace(teacher, sha256=found))
    return replace(recipe, training=training)


def _load_teacher(recipe: Recipe) -> AnyModel | None:
    """Load a recipe's teacher, if it has one: frozen, in the recipe's precision."""
    if recipe.training.teacher is None:
        return None
    preset = recipe.training.teacher.preset
    try:
        teacher: Any = from_preset(preset)
    except PresetError as error:
        raise RecipeError(f"training.teacher: {error}") from error
    scale = teacher.scale if isinstance(teacher, SubPixelSR) else None
    if scale != recipe.model.get("scale"):
        one, other = (f"scale {s or 'any'}" for s in (scale, recipe.model.get("scale")))
        raise RecipeError(
            f"training.teacher: {preset} is of {one} and cannot take the samples of {other}"
        )
    teacher = with_precision(folded(teacher), recipe.training.precision.removeprefix("mixed_"))
    teacher.trainable = False
    return teacher


def _distilled(model_class: Any, teacher: AnyModel, weight: float) -> Any:
    """Make the class of a model that is trained towards the targets and a teacher's output.

    The teacher is not part of the model: its weights are not saved with it.
    """

    class Distilled(model_class):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            """Return the mean of the losses against the targets and against the teacher."""
            y_teacher = ops.stop_gradient(teacher(x, training=False))
            # What a layer adds to the loss is in both, and so in the mean once.
            from_target, from_teacher = (
                super(Distilled, self).compute_loss(x, target, y_pred, sample_weight, training)
                for target in (y, y_teacher)
            )
            return (1 - weight) * from_target + weight * from_teacher

    Distilled.__name__ = model_class.__name__
    return Distilled
