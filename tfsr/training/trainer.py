"""From a recipe to a trained model, through `fit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfsr.data import Sampler
from tfsr.errors import TrainingError
from tfsr.evaluation.restoration import bicubic_upscale, restoration_psnr
from tfsr.images import list_images
from tfsr.models import AnyModel
from tfsr.training import checkpoints, provenance
from tfsr.training import recipe_files as recipes
from tfsr.training.callbacks import PictureValidation, Progress, Throughput, is_over
from tfsr.training.checkpoints import State
from tfsr.training.compilation import compiled_model
from tfsr.training.distribution import Distribution, distribution
from tfsr.training.noise import StepNoise
from tfsr.training.recipe import Recipe
from tfsr.training.run import open_run, write_history
from tfsr.training.snapshot import Snapshot


def train(
    recipe_path: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    train_data: str | None = None,
    validation_data: str | None = None,
    changes: Sequence[str] = (),
    strategy: str = "auto",
    resume: bool = False,
    report: Callable[[str], None] = print,
) -> AnyModel:
    """Train as a recipe says, or go on where the directory's run of the same recipe was left.

    Every step is a function of the recipe, the pictures and the step's number: a run that was
    killed ends, on the same devices, as one that was not. See `tfsr.training.run` for the files.

    Args:
        recipe_path: the recipe.
        directory: of the run; made if it is not there.
        train_data: folder of training pictures, instead of the recipe's.
        validation_data: folder of validation pictures, instead of the recipe's.
        changes: of the recipe, "key=value" each; see `recipe_files.load`.
        strategy: "auto", "one", "mirrored" or "multi-worker"; see `distribution`.
        resume: there must be a run to go on with; its steps, pictures and validation may have
            changed. More steps under a cosine decay raise the rate again where the run had ended.
        report: called with a line for what happens beside training.

    Returns:
        The model, as it was after the last step; its moving average, if the recipe keeps one.

    Raises:
        RecipeError: if the recipe has a fault, or the directory cannot be written.
        ImageError: if pictures are missing or cannot be used.
        CheckpointError: if the directory has a run of another recipe, its checkpoints are all
            damaged, or none can be written.
        TrainingError: if the strategy is not to be had here, a worker is lost, or the loss is no
            number any more.
    """
    # First of all: several machines must find each other before anything is computed.
    devices = distribution(strategy)
    recipe = recipes.load(recipe_path, changes)
    data = recipe.data
    data = replace(
        data, train=train_data or data.train, validation=validation_data or data.validation
    )
    recipe = replace(recipe, data=data)
    devices.check(recipe)
    sampler = Sampler(data.train, data.sampling, recipe.seed, data.skip_damaged, report)
    sampler.check()
    validation = list_images(data.validation)[: recipe.validation.pictures]
    for reduction in recipe.reductions():
        # One that does not do should be told now, not when the first epoch is over.
        restoration_psnr(bicubic_upscale, validation, reduction, recipe.validation.protocol)

    directory = Path(directory)
    model = compiled_model(recipe, devices, initialise=not checkpoints.found(directory))
    start = provenance.start(devices)
    comparable = devices.on_chief(
        lambda: open_run(directory, recipe, sampler, validation, start, resume)
    )
    state = _restored(directory, model, devices, report)
    if not comparable:
        state.best, state.best_epoch = None, state.epochs
    if is_over(recipe, state):
        report(f"{directory}: its {state.epochs} epochs are done; nothing is left to train")
        model.optimizer.finalize_variable_values(model.trainable_variables)
        return model
    _fit(model, sampler, validation, recipe, directory, state, devices)
    if sampler.pictures.skipped:
        report(f"{len(sampler.pictures.skipped)} of {len(sampler.paths)} pictures were skipped")
    return model


def _restored(
    directory: Path, model: AnyModel, devices: Distribution, report: Callable[[str], None]
) -> State:
    """Load the newest whole checkpoint on the chief, and give everybody what it holds."""

    def restore() -> dict[str, Any]:
        newest = checkpoints.newest(directory, report)
        if newest is None:
            return vars(State())
        path, state = newest
        checkpoints.load(path, model)
        write_history(directory, state)
        report(f"{directory}: goes on after epoch {state.epochs}")
        return vars(state)

    state = State(**devices.on_chief(restore))
    devices.share([*model.weights, *model.optimizer.variables])
    return state


def _fit(
    model: AnyModel,
    sampler: Sampler,
    validation: Sequence[Path],
    recipe: Recipe,
    directory: Path,
    state: State,
    devices: Distribution,
) -> None:
    steps = recipe.training.steps_per_epoch
    first = state.epochs * steps
    snapshot = Snapshot(recipe)
    callbacks = [
        StepNoise(recipe.seed, first, devices),
        PictureValidation(validation, recipe, devices, snapshot),
        Progress(directory, state, recipe, snapshot if devices.chief else None),
        Throughput(recipe),
    ]
    if devices.chief and keras.backend.backend() == "tensorflow":
        from tfsr.training.samples import Samples

        logs = directory / "logs"
        samples = Samples(logs / "samples", validation, recipe.reductions(), snapshot)
        callbacks.append(samples)
        callbacks.append(keras.callbacks.TensorBoard(str(logs), write_graph=False))
    verbose = 1 if sys.stdout.isatty() else 2
    try:
        with devices.training():
            model.fit(
                _stream(sampler, first, recipe, devices),
                initial_epoch=state.epochs,
                epochs=recipe.training.steps // steps,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=verbose if devices.chief else 0,
            )
    except Exception as error:
        # tf.data buries what a sampler raises in an error of its own.
        if sampler.failure is not None:
            raise sampler.failure from None
        if devices.workers > 1 and type(error).__module__.startswith("tensorflow"):
            reason = str(error).splitlines()[0]
            raise TrainingError(
                f"another worker was lost ({type(error).__name__}: {reason}); start all workers "
                "again with the same commands: they go on from the last checkpoint"
            ) from error
        raise


def _stream(sampler: Sampler, first: int, recipe: Recipe, devices: Distribution) -> Any:
    """The batches from a step on, as `fit` takes them."""
    if keras.backend.backend() != "tensorflow":
        from tfsr.data.py_dataset import StepDataset

        return StepDataset(sampler, first, recipe.training.steps - first)
    from tfsr.data.pipeline import dataset

    if devices.strategy is None:
        return dataset(sampler, first)

    def of_worker(context):
        replicas = context.num_replicas_in_sync // context.num_input_pipelines
        mine = range(
            replicas * context.input_pipeline_id, replicas * (context.input_pipeline_id + 1)
        )
        return dataset(sampler, first, parts=context.num_replicas_in_sync, mine=mine)

    return devices.strategy.distribute_datasets_from_function(of_worker)
