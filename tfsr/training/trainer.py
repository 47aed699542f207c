"""From a recipe to a trained model, through `fit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfsr.backend import device_name, is_slow_in_bfloat16, on_accelerator
from tfsr.data import Sampler
from tfsr.data.processes import SampleProcesses, available_cores
from tfsr.errors import InvalidArgument, TrainingError
from tfsr.evaluation import restoration_psnr
from tfsr.images import list_images, resize
from tfsr.inference.memory_amount import parse_memory
from tfsr.models import AnyModel
from tfsr.training import checkpoints
from tfsr.training import recipe_files as recipes
from tfsr.training.checkpoints import RunState
from tfsr.training.compilation import compiled_model, with_teacher_checksum
from tfsr.training.distribution import Distribution, distribution
from tfsr.training.interval_callback import IntervalCallback, is_over
from tfsr.training.locks import lock_folder
from tfsr.training.optimizer import cosine_span
from tfsr.training.pace import Pace
from tfsr.training.provenance import describe_start
from tfsr.training.recipe import Recipe
from tfsr.training.run_directory import (
    open_run,
    read_recipe_of_run,
    with_decided_steps,
    write_history,
)
from tfsr.training.seed_callback import SeedCallback
from tfsr.training.validation import Snapshot, Validator


def train(
    recipe_path: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    train_data: str | Sequence[str] | None = None,
    validation_data: str | None = None,
    changes: Sequence[str] = (),
    strategy: str = "auto",
    resume: bool = False,
    max_time: float | None = None,
    began: float | None = None,
    processes: int | None = None,
    report: Callable[[str], None] = print,
) -> AnyModel:
    """Train a recipe, or resume the directory's run of the same recipe.

    A killed and resumed run ends, on the same devices, as an uninterrupted one.

    Args:
        recipe_path: the recipe.
        directory: of the run, see `tfsr.training.run_directory`.
        train_data: training folder, or as many as the recipe has, instead of the recipe's.
        validation_data: folder of validation images, instead of the recipe's.
        changes: "KEY=VALUE" each; see `recipe_files.load`.
        strategy: "auto", "single", "mirrored" or "multi-worker"; see `distribution`.
        resume: whether there must be a run; its steps, images and validation may then differ.
        max_time: seconds after which the run ends at a checkpoint; None: no limit.
        began: `time.monotonic()` when `max_time` began. Defaults to now.
        processes: worker processes that make samples; 0: threads. Defaults to the CPU cores on a
            GPU.
        report: called with a line of progress.

    Returns:
        The model after the last step, with the moving average of its weights if there is one.

    Raises:
        TfsrError: if an argument cannot be used, a process is lost, or the loss is not finite.
    """
    pace, directory = _pace(max_time, began, processes), Path(directory)
    # Before anything is computed: several machines must find each other first.
    devices = distribution(strategy)
    recipe = _with_folders(recipes.load(recipe_path, changes), train_data, validation_data)
    before = read_recipe_of_run(directory)
    recipe = with_teacher_checksum(with_decided_steps(recipe, before))
    devices.check(recipe, max_time)
    sampler, validation = _open_images(recipe, report)
    model = compiled_model(recipe, devices, not checkpoints.list_checkpoints(directory))
    start = describe_start(devices)
    comparable = devices.on_chief(
        lambda: open_run(directory, recipe, sampler, validation, before, start, resume)
    )
    report = report if devices.chief else lambda line: None
    with _alone_in(directory, devices):
        state = _restore(directory, model, devices, comparable, report)
        if is_over(recipe, state):
            report(f"{directory}: its {state.steps:,} steps are done; nothing is left to train")
            model.optimizer.finalize_variable_values(model.trainable_variables)
            return model
        _report_device(directory, model, recipe, report)
        callback = _interval_callback(directory, state, recipe, validation, devices, pace, report)
        _fit(model, sampler, processes, callback)
    return model


@contextmanager
def _alone_in(directory: Path, devices: Distribution) -> Iterator[None]:
    """Keep other trainings out of a run's directory; a TrainingError if one is there."""

    def hold() -> int:
        held = lock_folder(directory)
        if held is None:
            raise TrainingError(
                f"{directory}: another process trains in it; wait for it, or choose another one"
            )
        return held

    held = devices.on_chief(hold)
    try:
        yield
    finally:
        if devices.chief and held >= 0:
            os.close(held)


def _pace(max_time: float | None, began: float | None, processes: int | None) -> Pace:
    if max_time is not None and not max_time > 0:
        raise InvalidArgument(f"must be above 0; received {max_time}", "max_time")
    if processes is not None and processes < 0:
        raise InvalidArgument(f"must be at least 0; received {processes}", "processes")
    return Pace(max_time, began)


def _with_folders(
    recipe: Recipe, train_data: str | Sequence[str] | None, validation_data: str | None
) -> Recipe:
    data = replace(recipe.data, validation=validation_data or recipe.data.validation)
    if train_data:
        data = data.with_folders([train_data] if isinstance(train_data, str) else train_data)
    return replace(recipe, data=data)


def _open_images(recipe: Recipe, report: Callable[[str], None]) -> tuple[Sampler, list[Path]]:
    """List and check the training and the validation images."""
    data, cache = recipe.data, parse_memory(recipe.data.cache)
    sampler = Sampler(data.sources, data.sampling, recipe.seed, data.skip_damaged, report, cache)
    sampler.check()
    validation = list_images(data.validation)[: recipe.validation.images]
    for spec in recipe.degradation_specs():
        # So that an image that cannot be reduced is an error now, not after the first epoch.
        restoration_psnr(resize, validation, spec, recipe.validation.protocol)
    return sampler, validation


def _restore(
    directory: Path,
    model: AnyModel,
    devices: Distribution,
    comparable: bool,
    report: Callable[[str], None],
) -> RunState:
    """Load the newest complete checkpoint on the chief, and share it with all workers."""

    def restore() -> dict[str, Any]:
        newest = checkpoints.newest(directory, report)
        if newest is None:
            return vars(RunState())
        path, state = newest
        checkpoints.load(path, model)
        write_history(directory, state)
        report(f"{directory}: resumes after step {state.steps:,}")
        return vars(state)

    state = RunState(**devices.on_chief(restore))
    devices.share([*model.weights, *model.optimizer.variables])
    if not comparable:
        state.best, state.best_epoch = None, len(state.history)
    return state


def _report_device(
    directory: Path, model: AnyModel, recipe: Recipe, report: Callable[[str], None]
) -> None:
    report(f"{directory}: {model.count_params():,} parameters on {device_name()}")
    if recipe.training.precision == "mixed_bfloat16" and is_slow_in_bfloat16():
        report(
            "warning: this processor has no bfloat16 instructions, so a step may take ten times as "
            "long as with training.precision=float32, which needs a new directory"
        )


def _interval_callback(
    directory: Path,
    state: RunState,
    recipe: Recipe,
    validation: Sequence[Path],
    devices: Distribution,
    pace: Pace,
    report: Callable[[str], None],
) -> IntervalCallback:
    snapshot = Snapshot(recipe)
    validator = Validator(validation, recipe, devices, snapshot)
    tensorboard: list[keras.callbacks.Callback] = []
    if devices.chief and keras.backend.backend() == "tensorflow":
        from tfsr.training.tensorboard_images import TensorBoardImages

        logs = directory / "logs"
        specs = recipe.degradation_specs()
        tensorboard = [
            TensorBoardImages(logs / "samples", validation, specs, snapshot),
            keras.callbacks.TensorBoard(str(logs), write_graph=False),
        ]
    return IntervalCallback(directory, state, recipe, validator, devices, pace, tensorboard, report)


def _fit(
    model: AnyModel, sampler: Sampler, processes: int | None, callback: IntervalCallback
) -> None:
    recipe, devices, first = callback.recipe, callback.devices, callback.state.steps
    training, interval = recipe.training, callback.interval
    model.optimizer.schedule.set_span(*cosine_span(training))
    # Where the number of steps is not decided yet, the callback ends the run.
    steps = None if training.steps == "auto" else training.steps
    if processes is None:
        processes = available_cores() if on_accelerator() else 0
    try:
        source: AbstractContextManager[Any] = (
            SampleProcesses(sampler, processes) if processes else nullcontext(sampler)
        )
        with source as samples, devices.fit_scope():
            model.fit(
                _stream(samples, first, steps, devices),
                initial_epoch=first // interval,
                epochs=(steps or sys.maxsize) // interval,
                steps_per_epoch=interval,
                callbacks=[SeedCallback(recipe.seed, first, devices), callback],
                shuffle=False,
                verbose=0,
            )
    except Exception as error:
        # tf.data replaces what a sampler raises by an error of its own.
        if sampler.failure is not None:
            raise sampler.failure from None
        if devices.workers > 1 and type(error).__module__.startswith("tensorflow"):
            reason = str(error).splitlines()[0]
            raise TrainingError(
                f"another worker was lost ({type(error).__name__}: {reason}). Start all workers "
                "again with the same commands: they resume from the last checkpoint"
            ) from error
        raise
    if sampler.images.skipped:
        callback.report(
            f"{len(sampler.images.skipped)} of {len(sampler.paths)} images were skipped"
        )


def _stream(
    samples: Sampler | SampleProcesses, first: int, steps: int | None, devices: Distribution
) -> Any:
    """The batches from a step on, as `fit` takes them."""
    if keras.backend.backend() != "tensorflow":
        from tfsr.data.py_dataset import StepDataset

        return StepDataset(samples, first, None if steps is None else steps - first)
    from tfsr.data.tf_dataset import dataset

    if devices.strategy is None:
        return dataset(samples, first)

    def of_worker(context):
        replicas = context.num_replicas_in_sync // context.num_input_pipelines
        shards = range(
            replicas * context.input_pipeline_id, replicas * (context.input_pipeline_id + 1)
        )
        return dataset(samples, first, num_shards=context.num_replicas_in_sync, shards=shards)

    return devices.strategy.distribute_datasets_from_function(of_worker)
