"""What happens between epochs: validation on whole pictures, checkpoints, throughput."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import CheckpointError, TrainingError
from tfsr.evaluation import restoration_psnr
from tfsr.training import checkpoints
from tfsr.training.checkpoints import State
from tfsr.training.distribution import Distribution
from tfsr.training.optimiser import learning_rate
from tfsr.training.packing import described
from tfsr.training.recipe import Recipe
from tfsr.training.run import write_best, write_history
from tfsr.training.snapshot import Snapshot


class PictureValidation(keras.callbacks.Callback):
    """Adds `val_psnr`, and one `val_psnr_REDUCTION` for each, to every epoch's logs.

    Args:
        paths: validation pictures; several workers share them.
        recipe: says how they are reduced, and the protocol.
        distribution: where the run is computed.
        snapshot: taken anew, for the callbacks after this one too.
    """

    def __init__(
        self, paths: Sequence[Path], recipe: Recipe, distribution: Distribution, snapshot: Snapshot
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.paths = paths
        self.recipe = recipe
        self.distribution = distribution

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure, and add to the logs that the callbacks after this one see.

        Raises:
            TrainingError: if the loss is no number any more.
        """
        logs = {} if logs is None else logs
        if not np.isfinite(logs.get("loss", 0.0)):
            raise TrainingError(
                f"training diverged in epoch {epoch + 1}: the loss is {logs['loss']}; start again "
                "in another directory with a lower training.learning_rate.initial, or with "
                "training.clip_norm"
            )
        mine = self.paths[self.distribution.worker :: self.distribution.workers]
        reductions = self.recipe.reductions()
        self.snapshot.take(self.model)
        protocol = self.recipe.validation.protocol
        sums = [
            np.sum(restoration_psnr(self.snapshot.upscale, mine, reduction, protocol))
            for reduction in reductions
        ]
        means = self.distribution.sum(np.array(sums)) / len(self.paths)
        for reduction, mean in zip(reductions, means, strict=True):
            logs[f"val_psnr_{reduction.label}"] = float(mean)
        logs["val_psnr"] = float(np.mean(means))


class Progress(keras.callbacks.Callback):
    """Keeps the last states, the best weights and the history of a run in its directory.

    Args:
        directory: of the run.
        state: how far it is; goes on changing.
        recipe: of the run.
        snapshot: the model after the epoch, if this process writes files; others only count.
    """

    def __init__(
        self, directory: Path, state: State, recipe: Recipe, snapshot: Snapshot | None
    ) -> None:
        super().__init__()
        self.directory = directory
        self.state = state
        self.recipe = recipe
        self.snapshot = snapshot

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save, and end training where nothing got better for too long.

        Raises:
            CheckpointError: if the checkpoint cannot be written; the one before is whole.
        """
        training, before = self.recipe.training, self.state.epochs
        state, step = self.state, (epoch + 1) * training.steps_per_epoch
        rate = learning_rate(training.learning_rate, training.steps)
        rate = rate(step - 1) if callable(rate) else rate
        figures = {name: float(value) for name, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, "step": step, "learning_rate": float(ops.convert_to_numpy(rate))}
        state.history.append({**row, **figures})
        state.epochs = epoch + 1
        better = state.best is None or figures["val_psnr"] > state.best
        if better:
            state.best, state.best_epoch = figures["val_psnr"], epoch + 1
        if self.snapshot is not None:
            try:
                self._write(self.snapshot if better else None)
            except OSError as error:
                reason = error.strerror or str(error).splitlines()[0]
                raise CheckpointError(
                    f"{self.directory}: the checkpoint of epoch {epoch + 1} cannot be written: "
                    f"{reason}; that of epoch {before} is kept: make room, then run the same "
                    "command again"
                ) from error
        self.model.stop_training = is_over(self.recipe, state)

    def _write(self, best: Snapshot | None) -> None:
        checkpoints.check_room(self.directory, self.model)
        if best is not None:
            steps = self.state.epochs * self.recipe.training.steps_per_epoch
            metadata = described(self.recipe, best.model, steps)
            metadata["validation"] = self.state.history[-1]
            write_best(self.directory, best.model, metadata)
        checkpoints.save(self.directory, self.model, self.state)
        write_history(self.directory, self.state)


def is_over(recipe: Recipe, state: State) -> bool:
    """Whether a run has done all its epochs, or has waited long enough for a better one."""
    patience = recipe.validation.patience
    waited = patience is not None and state.epochs - state.best_epoch >= patience > 0
    return waited or state.epochs >= recipe.training.steps // recipe.training.steps_per_epoch


class Throughput(keras.callbacks.Callback):
    """Adds `samples_per_second` to every epoch's logs: training alone, less its first step.

    It stands after `Progress`: the history of a run that was killed is that of one that was not,
    and how fast a machine was is no part of it.

    Args:
        recipe: of the run.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.began = self.ended = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the time."""
        self.ended = time.perf_counter()
        if batch == 0:
            # The first step traces the model; it is not counted.
            self.began = self.ended

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add to the logs."""
        samples = (self.recipe.training.steps_per_epoch - 1) * self.recipe.data.sampling.batch
        if logs is not None and samples and self.ended > self.began:
            logs["samples_per_second"] = samples / (self.ended - self.began)
