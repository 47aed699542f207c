"""From a recipe to a trained model, through `fit`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import keras
import yaml

from tfsr import losses
from tfsr.data import Sampler
from tfsr.errors import CheckpointError, RecipeError
from tfsr.images import list_images, read
from tfsr.models import AnyModel
from tfsr.training import recipe as recipes
from tfsr.training.callbacks import Checkpoints, PictureValidation
from tfsr.training.recipe import Recipe, Schedule


def train(
    recipe_path: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    train_data: str | None = None,
    validation_data: str | None = None,
    resume: bool = False,
) -> AnyModel:
    """Train as a recipe says.

    The run's directory gets the recipe with its bases merged in, the last and the best checkpoint,
    `history.csv` and TensorBoard's logs.

    Args:
        recipe_path: the recipe.
        directory: of the run; made if it is not there.
        train_data: folder of training pictures, instead of the recipe's.
        validation_data: folder of validation pictures, instead of the recipe's.
        resume: whether to go on from the directory's last checkpoint.

    Returns:
        The model, as it was after the last step.

    Raises:
        RecipeError: if the recipe has a fault, or the directory has a run that would be lost.
        ImageError: if pictures are missing or cannot be read.
        CheckpointError: if there is nothing to resume from, or it belongs to another recipe.
    """
    recipe = recipes.load(recipe_path)
    directory = Path(directory)
    checkpoints = Checkpoints(directory)
    if not resume and (directory / "state.json").exists():
        raise RecipeError(
            f"{directory}: already holds a run; add --resume to go on, or name another directory"
        )
    sampler = Sampler(train_data or recipe.data.train, recipe.data.sampling, recipe.seed)
    validation = list_images(validation_data or recipe.data.validation)
    validation = validation[: recipe.validation.pictures]
    for path in validation:
        read(path)  # A damaged one should be told now, not when the first epoch is over.
    if resume:
        _check_same_run(directory, recipe)
    model = compiled_model(recipe)
    done = checkpoints.restore(model) if resume else 0
    _prepare(directory, recipe)
    epochs = recipe.training.steps // recipe.training.steps_per_epoch
    callbacks = [
        PictureValidation(
            validation,
            recipe.reductions(),
            recipe.validation.protocol,
        ),
        checkpoints,
        keras.callbacks.CSVLogger(str(directory / "history.csv"), append=resume),
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(str(directory / "logs"), write_graph=False))
    try:
        model.fit(
            _stream(sampler, done * recipe.training.steps_per_epoch, recipe),
            initial_epoch=done,
            epochs=epochs,
            steps_per_epoch=recipe.training.steps_per_epoch,
            callbacks=callbacks,
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except Exception:
        # tf.data buries what a sampler raises in an error of its own.
        if sampler.failure is not None:
            raise sampler.failure from None
        raise
    return model


def compiled_model(recipe: Recipe) -> AnyModel:
    """The recipe's model, seeded and compiled with its loss, optimiser and schedule."""
    keras.utils.set_random_seed(recipe.seed)
    model = recipe.build_model()
    training = recipe.training
    schedule = learning_rate(training.learning_rate, training.steps)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, epsilon=training.epsilon),
        loss={"l1": losses.L1, "charbonnier": losses.Charbonnier}[training.loss](),
    )
    return model


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
    if not schedule.boundaries:
        return schedule.initial
    rates = [schedule.initial * schedule.factor**i for i in range(len(schedule.boundaries) + 1)]
    # A boundary belongs to what comes after it, as published; Keras counts it to what was before.
    boundaries = [step - 1 for step in schedule.boundaries]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


def _stream(sampler: Sampler, start: int, recipe: Recipe):
    if keras.backend.backend() == "tensorflow":
        from tfsr.data.pipeline import dataset

        return dataset(sampler, start)
    from tfsr.data.py_dataset import StepDataset

    return StepDataset(sampler, start, recipe.training.steps - start)


def _check_same_run(directory: Path, recipe: Recipe) -> None:
    """A run may be resumed for more steps, with pictures moved and other validation settings.

    More steps under a cosine decay raise the learning rate again where the run had ended.
    """
    stored = directory / "recipe.yaml"
    if not stored.exists():
        raise CheckpointError(f"{directory}: no run to resume; train without --resume")
    was, now = (recipes.to_mapping(x) for x in (recipes.load(stored), recipe))
    for one in (was, now):
        del one["training"]["steps"], one["data"]["train"], one["data"]["validation"]
        del one["validation"], one["provenance"], one["expected"], one["parameters"]
    for part in was:
        if was[part] != now[part]:
            raise CheckpointError(
                f"{directory}: its run has another '{part}' than this recipe; "
                "train without --resume into another directory"
            )


def _prepare(directory: Path, recipe: Recipe) -> None:
    """Make the run's directory and keep the recipe in it, whole: a base may change or be lost."""
    content = yaml.safe_dump(recipes.to_mapping(recipe), sort_keys=False)
    temporary = directory / "part.recipe.yaml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        temporary.write_text(content, encoding="utf-8")
        os.replace(temporary, directory / "recipe.yaml")
    except OSError as error:
        raise RecipeError(f"{directory}: cannot be written: {error.strerror}") from error
