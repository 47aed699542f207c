"""Where a run is computed: on one device, on several of this machine, or on several machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tfsr.errors import InvalidArgument, RecipeError, TfsrError, TrainingError, did_you_mean
from tfsr.training.cluster import this_task, workers_of_cluster
from tfsr.training.recipe import Recipe

NAMES = ("auto", "one", "mirrored", "multi-worker")


@dataclass(frozen=True)
class Distribution:
    """Devices that train together.

    Attributes:
        name: "one", "mirrored" or "multi-worker".
        replicas: how many copies of the model each take a part of every batch.
        workers: how many processes they are spread over.
        worker: which of them this is, from 0; worker 0 writes the run's files.
        strategy: of `tf.distribute`, if TensorFlow computes on more than one device.
        keras: of `keras.distribution`, if JAX does.
    """

    name: str
    replicas: int = 1
    workers: int = 1
    worker: int = 0
    strategy: Any = None
    keras: Any = None

    @property
    def chief(self) -> bool:
        """Whether this process writes the run's files."""
        return self.worker == 0

    def building(self) -> AbstractContextManager:
        """What a model and its optimizer are made in."""
        return self.strategy.scope() if self.strategy else self.training()

    def training(self) -> AbstractContextManager:
        """What `fit` is called in."""
        return self.keras.scope() if self.keras else nullcontext()

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum over all workers of each one's values; all must call it."""
        return self._total([values])[0]

    def chief_says(self, value: bool) -> bool:
        """The chief's value, on all workers; all must call it."""
        return bool(self.sum(np.array(int(self.chief and value))))

    def share(self, variables: Sequence[Any]) -> None:
        """Give variables of Keras the values that they have on the chief; all must call it."""
        if self.workers == 1:
            return
        values = [keras.ops.convert_to_numpy(variable) for variable in variables]
        mine = values if self.chief else [np.zeros_like(value) for value in values]
        for variable, value in zip(variables, self._total(mine), strict=True):
            variable.assign(value)

    def on_chief(self, function: Callable[[], Any]) -> Any:
        """What a function answers on the chief, plain data; all must call it.

        Raises:
            TfsrError: what the function raised; on the others a TrainingError that says it.
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
        length = int(self.sum(np.array(len(text) if self.chief else 0)))
        said = self.sum(text if self.chief else np.zeros(length, np.int32))
        if failure is not None:
            raise failure
        output = json.loads(said.astype(np.uint8).tobytes())
        if "error" in output:
            raise TrainingError(f"worker 0 stopped: {output['error']}")
        return output["value"]

    def _total(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        if self.workers == 1:
            return arrays
        from tfsr.training.workers import total

        return total(self.strategy, arrays)

    def check(self, recipe: Recipe) -> None:
        """Check that a recipe means the same here as on one device.

        Raises:
            RecipeError: naming the key that would not.
        """
        batch = recipe.data.sampling.batch
        if batch % self.replicas:
            raise RecipeError(
                f"data.sampling.batch must be a multiple of the {self.replicas} replicas that "
                f"share it; got {batch}"
            )
        if self.workers > 1 and recipe.training.steps == "auto":
            raise RecipeError("training.steps cannot be auto on several machines; say a number")
        if self.strategy is None:
            return
        for key, reason in (
            ("gradient_accumulation_steps", "use a larger data.sampling.batch"),
            ("jit_compile", "leave it empty"),
        ):
            if getattr(recipe.training, key):
                raise RecipeError(
                    f"training.{key} does not work under --strategy {self.name}, where Keras gets "
                    f"it wrong: {reason}, or use --strategy one"
                )


def distribution(name: str = "auto") -> Distribution:
    """The devices that a name stands for.

    With several machines this has to come before anything else is computed.

    Args:
        name: "one" device; "mirrored" on all of this machine; "multi-worker" on the machines that
            TF_CONFIG lists; "auto" is what there is: machines, then devices, then one.

    Raises:
        InvalidArgument: for another name.
        TrainingError: if TF_CONFIG is missing or makes no sense, or the backend cannot do it.
    """
    if name not in NAMES:
        raise InvalidArgument(
            f"--strategy must be one of {', '.join(NAMES)}; got {name!r}."
            + did_you_mean(name, NAMES)
        )
    backend = keras.backend.backend()
    if name == "one" or (name == "auto" and backend == "torch"):
        return Distribution("one")
    if backend == "tensorflow":
        return _of_tensorflow(name)
    if backend == "jax":
        return _of_jax(name)
    raise TrainingError(f"--strategy {name} needs TensorFlow or JAX; the backend is {backend}")


def _of_tensorflow(name: str) -> Distribution:
    import tensorflow as tf

    cluster = workers_of_cluster()
    if name == "multi-worker" or (name == "auto" and len(cluster) > 1):
        if not cluster:
            raise TrainingError(
                "--strategy multi-worker needs the environment variable TF_CONFIG to name all "
                "workers and this one; see docs/distributed.md"
            )
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        worker = cluster.index(this_task())
        replicas = strategy.num_replicas_in_sync
        return Distribution("multi-worker", replicas, len(cluster), worker, strategy)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if name == "auto" and len(devices) == 1:
        return Distribution("one")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    return Distribution("mirrored", len(devices), strategy=strategy)


def _of_jax(name: str) -> Distribution:
    if name == "multi-worker":
        raise TrainingError(
            "--strategy multi-worker is TensorFlow's; of JAX, --strategy mirrored takes all "
            "devices of this machine"
        )
    devices = keras.distribution.list_devices()
    if name == "auto" and len(devices) == 1:
        return Distribution("one")
    parallel = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    return Distribution("mirrored", len(devices), keras=parallel)
