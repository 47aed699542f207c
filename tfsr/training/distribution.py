"""The devices of a run: one, several of this machine, or several machines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tfsr.errors import RecipeError, TfsrError, TrainingError, check_choice
from tfsr.training.recipe import Recipe

NAMES = ("auto", "single", "mirrored", "multi-worker")


@dataclass(frozen=True)
class Distribution:
    """Devices that train together."""

    name: str  # "single", "mirrored" or "multi-worker"
    replicas: int = 1  # copies of the model, each of which takes a part of every batch
    workers: int = 1  # processes that hold them
    worker: int = 0  # index of this process; worker 0, the chief, writes the run's files
    strategy: Any = None  # of `tf.distribute`, if TensorFlow uses more than one device
    keras: Any = None  # of `keras.distribution`, if JAX does

    @property
    def chief(self) -> bool:
        """Whether this process writes the run's files."""
        return self.worker == 0

    def scope(self) -> AbstractContextManager:
        """The scope of a model and its optimizer."""
        return self.strategy.scope() if self.strategy else self.fit_scope()

    def fit_scope(self) -> AbstractContextManager:
        """The scope of `fit`."""
        return self.keras.scope() if self.keras else nullcontext()

    def sum(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Sum each array over all workers, all of which must call this."""
        if self.workers == 1:
            return arrays
        from tfsr.training.replicas import sum_over_workers

        return sum_over_workers(self.strategy, arrays)

    def agree_with_chief(self, value: bool) -> bool:
        """Return the chief's value on all workers, all of which must call this."""
        return bool(self.sum([np.array(int(self.chief and value))])[0])

    def share(self, variables: Sequence[Any]) -> None:
        """Give Keras variables the chief's values; all workers must call this."""
        if self.workers == 1:
            return
        values = [keras.ops.convert_to_numpy(variable) for variable in variables]
        summands = values if self.chief else [np.zeros_like(value) for value in values]
        for variable, value in zip(variables, self.sum(summands), strict=True):
            variable.assign(value)

    def on_chief(self, function: Callable[[], Any]) -> Any:
        """Call a function on the chief, and return its result, plain data, on all workers.

        Raises:
            TfsrError: that of the function; on the other workers a TrainingError with its line.
        """
        if self.workers == 1:
            return function()
        failure, output = None, {}
        if self.chief:
            try:
                output = {"value": function()}
            except TfsrError as error:
                failure, output = error, {"error": str(error)}
        text = np.frombuffer(json.dumps(output).encode(), np.uint8).astype(np.int32)
        [length] = self.sum([np.array(len(text) if self.chief else 0)])
        [text] = self.sum([text if self.chief else np.zeros(int(length), np.int32)])
        if failure is not None:
            raise failure
        output = json.loads(text.astype(np.uint8).tobytes())
        if "error" in output:
            raise TrainingError(f"worker 0 stopped: {output['error']}")
        return output["value"]

    def check(self, recipe: Recipe, max_time: float | None = None) -> None:
        """Raise RecipeError unless a recipe means the same here as on one device."""
        if recipe.training.steps == "auto" and max_time is None:
            raise RecipeError("training.steps is auto, which needs a time limit, max_time")
        batch = recipe.data.sampling.batch
        if batch % self.replicas:
            raise RecipeError(
                f"data.sampling.batch must be a multiple of the {self.replicas} replicas that "
                f"share it; received {batch}"
            )
        if self.workers > 1 and recipe.training.steps == "auto":
            raise RecipeError("training.steps cannot be auto on several machines; give a number")
        if self.strategy is None:
            return
        for key, instead in (
            ("gradient_accumulation_steps", "use a larger data.sampling.batch"),
            ("jit_compile", "leave it empty"),
        ):
            if getattr(recipe.training, key):
                raise RecipeError(
                    f"training.{key} gives wrong results in Keras with strategy {self.name}: "
                    f"{instead}, or use strategy single"
                )


def distribution(name: str = "auto") -> Distribution:
    """Find the devices of a strategy; before anything is computed, if there are several machines.

    Args:
        name: "single", one device; "mirrored", all of this machine; "multi-worker", the machines
            that TF_CONFIG lists; "auto": machines if there are several, then devices, then one.

    Raises:
        InvalidArgument: for another name.
        TrainingError: if TF_CONFIG is missing or invalid, or the backend has no such strategy.
    """
    check_choice("strategy", name, NAMES)
    backend = keras.backend.backend()
    if name == "single" or (name == "auto" and backend == "torch"):
        return Distribution("single")
    if backend == "tensorflow":
        return _of_tensorflow(name)
    if backend != "jax" or name == "multi-worker":
        needed = "TensorFlow" if name == "multi-worker" else "TensorFlow or JAX"
        raise TrainingError(f"strategy {name} needs {needed}; the backend is {backend}")
    devices = keras.distribution.list_devices()
    if name == "auto" and len(devices) == 1:
        return Distribution("single")
    parallel = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    return Distribution("mirrored", len(devices), keras=parallel)


def _of_tensorflow(name: str) -> Distribution:
    import tensorflow as tf

    workers, worker = _workers_of_tf_config()
    if name == "multi-worker" or (name == "auto" and workers > 1):
        if not workers:
            raise TrainingError(
                "strategy multi-worker needs the environment variable TF_CONFIG to list all "
                "workers and this one; see docs/distributed.md"
            )
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        replicas = strategy.num_replicas_in_sync
        return Distribution("multi-worker", replicas, workers, worker, strategy)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if name == "auto" and len(devices) == 1:
        return Distribution("single")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    return Distribution("mirrored", len(devices), strategy=strategy)


def _workers_of_tf_config() -> tuple[int, int]:
    """Number of workers in TF_CONFIG, 0 if it is not set, and the index of this one."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 0, 0
    try:
        content = json.loads(text)
        jobs, task = content.get("cluster", {}), content.get("task")
        workers = [(job, i) for job in ("chief", "worker") for i in range(len(jobs.get(job, [])))]
        if not workers:
            return 0, 0
        this = task["type"], int(task["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"TF_CONFIG cannot be read: {error}; see docs/distributed.md"
        ) from error
    if this not in workers:
        raise TrainingError(
            f"TF_CONFIG: its task must be one of the chief and the workers of its cluster; "
            f"received {task!r}"
        )
    return len(workers), workers.index(this)
