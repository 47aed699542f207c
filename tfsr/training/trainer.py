"""From a recipe to a trained model, through `fit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfsr.backend import device_name, is_slow_in_bfloat16, on_accelerator
from tfsr.data import Sampler
from tfsr.data.processes import SampleProcesses, available_cores
from tfsr.errors import InvalidArgument, RecipeError, TrainingError
from tfsr.evaluation.restoration import bicubic_upscale, restoration_psnr
from tfsr.images import list_images
from tfsr.inference.memory import parse_memory
from tfsr.models import AnyModel
from tfsr.training import checkpoints, provenance
from tfsr.training import recipe_files as recipes
from tfsr.training.checkpoints import State
from tfsr.training.compilation import compiled_model
from tfsr.training.distillation import with_teacher_identity
from tfsr.training.distribution import Distribution, distribution
from tfsr.training.intervals import Intervals, is_over
from tfsr.training.noise import SeedCallback
from tfsr.training.pace import Pace
from tfsr.training.recipe import Recipe
from tfsr.training.run import open_run, with_decided_steps, write_history
from tfsr.training.schedule import cosine_span
from tfsr.training.snapshot import Snapshot
from tfsr.training.validation import Validation


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
    """Train as a recipe says, or resume the directory's run of the same recipe.

    Every step is a function of the recipe, the images and the step's number: a run that was
    killed ends, on the same devices, as one that was not. See `tfsr.training.run` for the files.

    Args:
        recipe_path: the recipe.
        directory: of the run; made if it does not exist.
        train_data: folder of training images, instead of all of the recipe's; or as many folders
            as the recipe has, whose weights stay.
        validation_data: folder of validation images, instead of the recipe's.
        changes: of the recipe, "key=value" each; see `recipe_files.load`.
        strategy: "auto", "one", "mirrored" or "multi-worker"; see `distribution`.
        resume: there must be a run to resume; its steps, images and validation may have changed.
            More steps under a cosine decay raise the rate again where the run had ended.
        max_time: seconds after which the run has ended, at a checkpoint; None: when it is done.
            Compilation, validation and writing are counted.
        began: `time.monotonic()` when `max_time` began; None: now.
        processes: how many processes cut samples; 0: threads of this one. None: as many as there
            are CPU cores if the model is trained on something faster than a CPU, else 0. A script
            that uses processes needs `if __name__ == "__main__"`.
        report: called with a line for what happens beside training.

    Returns:
        The model, as it was after the last step; its moving average, if the recipe keeps one.

    Raises:
        InvalidArgument: if `max_time` or `processes` cannot be.
        RecipeError: if the recipe has a fault, or the directory cannot be written.
        ImageError: if images are missing or cannot be used.
        CheckpointError: if the directory has a run of another recipe, its checkpoints are all
            damaged, or none can be written.
        TrainingError: if the strategy is not to be had here, a worker or a process is lost, or the
            loss is no number any more.
    """
    if max_time is not None and not max_time > 0:
        raise InvalidArgument(f"max_time must be above 0; received {max_time}")
    if processes is not None and processes < 0:
        raise InvalidArgument(f"processes must be at least 0; received {processes}")
    pace = Pace(max_time, began)
    # First of all: several machines must find each other before anything is computed.
    devices = distribution(strategy)
    directory = Path(directory)
    recipe = recipes.load(recipe_path, changes)
    data = replace(recipe.data, validation=validation_data or recipe.data.validation)
    if train_data:
        data = data.with_folders([train_data] if isinstance(train_data, str) else train_data)
    recipe = with_decided_steps(directory, replace(recipe, data=data))
    recipe = with_teacher_identity(recipe)
    if recipe.training.steps == "auto" and max_time is None:
        raise RecipeError("training.steps is auto, which needs a time limit: give --max-time")
    devices.check(recipe)
    cache = parse_memory(data.cache)
    sampler = Sampler(data.sources, data.sampling, recipe.seed, data.skip_damaged, report, cache)
    sampler.check()
    validation = list_images(data.validation)[: recipe.validation.images]
    for reduction in recipe.reductions():
        # One that does not do should be told now, not when the first epoch is over.
        restoration_psnr(bicubic_upscale, validation, reduction, recipe.validation.protocol)

    model = compiled_model(recipe, devices, initialise=not checkpoints.found(directory))
    start = provenance.start(devices)
    comparable = devices.on_chief(
        lambda: open_run(directory, recipe, sampler, validation, start, resume)
    )
    report = report if devices.chief else lambda line: None
    state = _restored(directory, model, devices, report)
    if not comparable:
        state.best, state.best_epoch = None, len(state.history)
    if is_over(recipe, state):
        report(f"{directory}: its {state.steps:,} steps are done; nothing is left to train")
        model.optimizer.finalize_variable_values(model.trainable_variables)
        return model
    model.optimizer.schedule.set_span(*cosine_span(recipe.training))
    report(f"{directory}: {model.count_params():,} parameters on {device_name()}")
    if recipe.training.precision == "mixed_bfloat16" and is_slow_in_bfloat16():
        report(
            "warning: this processor has no bfloat16 instructions, a step may take ten times as "
            "long as in float32; in a new directory, add --set training.precision=float32"
        )
    snapshot = Snapshot(recipe)
    intervals = Intervals(
        directory,
        state,
        recipe,
        Validation(validation, recipe, devices, snapshot),
        devices,
        pace,
        _tensorboard(directory, validation, recipe, snapshot) if devices.chief else [],
        report,
    )
    with _samples(sampler, processes) as samples:
        _fit(model, samples, sampler, intervals, recipe, devices)
    if sampler.images.skipped:
        report(f"{len(sampler.images.skipped)} of {len(sampler.paths)} images were skipped")
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
        report(f"{directory}: resumes after step {state.steps:,}")
        return vars(state)

    state = State(**devices.on_chief(restore))
    devices.share([*model.weights, *model.optimizer.variables])
    return state


def _tensorboard(
    directory: Path, validation: Sequence[Path], recipe: Recipe, snapshot: Snapshot
) -> list[keras.callbacks.Callback]:
    if keras.backend.backend() != "tensorflow":
        return []
    from tfsr.training.samples import Samples

    logs = directory / "logs"
    samples = Samples(logs / "samples", validation, recipe.reductions(), snapshot)
    return [samples, keras.callbacks.TensorBoard(str(logs), write_graph=False)]


@contextmanager
def _samples(sampler: Sampler, processes: int | None) -> Iterator[Sampler | SampleProcesses]:
    if processes is None:
        processes = available_cores() if on_accelerator() else 0
    if not processes:
        yield sampler
        return
    with SampleProcesses(sampler, processes) as samples:
        yield samples


def _fit(
    model: AnyModel,
    samples: Sampler | SampleProcesses,
    sampler: Sampler,
    intervals: Intervals,
    recipe: Recipe,
    devices: Distribution,
) -> None:
    training, first = recipe.training, intervals.state.steps
    interval = intervals.interval
    # Where the number of steps is not decided yet, `Intervals` ends the run.
    steps = sys.maxsize if training.steps == "auto" else training.steps
    try:
        with devices.training():
            model.fit(
                _stream(samples, first, None if training.steps == "auto" else steps, devices),
                initial_epoch=first // interval,
                epochs=steps // interval,
                steps_per_epoch=interval,
                callbacks=[SeedCallback(recipe.seed, first, devices), intervals],
                shuffle=False,
                verbose=0,
            )
    except Exception as error:
        # tf.data buries what a sampler raises in an error of its own.
        if sampler.failure is not None:
            raise sampler.failure from None
        if devices.workers > 1 and type(error).__module__.startswith("tensorflow"):
            reason = str(error).splitlines()[0]
            raise TrainingError(
                f"another worker was lost ({type(error).__name__}: {reason}); start all workers "
                "again with the same commands: they resume from the last checkpoint"
            ) from error
        raise


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
