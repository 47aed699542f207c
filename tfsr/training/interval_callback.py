"""What happens between the steps of a run: validation, checkpoints, the time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import CheckpointError, TrainingError
from tfsr.training import checkpoints
from tfsr.training.checkpoints import RunState
from tfsr.training.distribution import Distribution
from tfsr.training.optimizer import LearningRate, cosine_span
from tfsr.training.pace import Pace, PaceReport
from tfsr.training.progress_file import RunProgress, write_progress
from tfsr.training.provenance import describe_weights
from tfsr.training.recipe import Recipe
from tfsr.training.run_directory import write_best, write_history, write_recipe
from tfsr.training.validation import Validator

# Seconds between two updates of progress.json.
_PROGRESS_SECONDS = 5.0


@dataclass(eq=False)
class IntervalCallback(keras.callbacks.Callback):
    """Validates, saves and stops between intervals of a few steps, the epochs of `fit`.

    After each interval it checks the time; after an epoch of the recipe it validates and adds a
    row to the history. Checkpoints are written after epochs, by steps and minutes as the recipe
    says, and when the time is up. The clock changes nothing that is computed, except that
    `steps: auto` is decided, once, and written to the run's recipe.
    """

    directory: Path  # of the run
    state: RunState  # updated after each interval
    recipe: Recipe
    validator: Validator
    devices: Distribution  # the chief writes files
    pace: Pace
    epoch_callbacks: list[keras.callbacks.Callback]  # called after each epoch of the recipe
    report: Callable[[str], None]

    def __post_init__(self) -> None:
        super().__init__()
        self.interval = self.recipe.training.interval(self.state.steps)
        self._pace_report = PaceReport(self.pace, self.report)
        self._epoch_callbacks = keras.callbacks.CallbackList(self.epoch_callbacks)
        self._saved = self.state.steps, time.monotonic()
        self._began = self._progress_written = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Measure the start; `fit` has built the model by now."""
        self._epoch_callbacks.set_model(self.model)
        self._epoch_callbacks.on_train_begin()
        self.pace.start()
        if self.pace.limit is None:
            return
        # Once to compile, and, if there is time, once more to measure the time it takes.
        for _ in range(2):
            began = time.monotonic()
            self.validator.measure(self.model)
            self.pace.validation = time.monotonic() - began
            if not self.devices.agree_with_chief(
                2.0 < self.pace.validation < self.pace.remaining / 4
            ):
                return

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close TensorBoard."""
        self._epoch_callbacks.on_train_end()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock of an interval."""
        self._began = time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure the first call, which compiles: Keras waits for no result here."""
        if batch and self.pace.compilation is None:
            self._record_compilation(batch)

    def _record_compilation(self, steps: int) -> None:
        self.pace.record_first_call(steps, time.monotonic() - self._began)
        self.report(f"compiled in {self.pace.compilation:.1f} s")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Validate, save, decide and report what is due after an interval.

        Raises:
            TrainingError: if the loss is not finite.
            CheckpointError: if a checkpoint cannot be written; the one before is complete.
        """
        if self.pace.compilation is None:
            self._record_compilation(self.interval)
        self.pace.record(self.interval, time.monotonic() - self._began)
        loss, state = float((logs or {})["loss"]), self.state
        state.steps += self.interval
        state.loss += loss * self.interval
        if not np.isfinite(loss):
            raise TrainingError(
                f"training diverged before step {state.steps}: the loss is {loss}. Start again in "
                "another directory with a lower training.learning_rate.initial, or with "
                "training.clip_norm"
            )
        ended = self._ends_epoch(state.steps)
        better = ended and self._end_epoch()
        over = is_over(self.recipe, state)
        out_of_time = not over and self._out_of_time()
        if ended or over or out_of_time or self._checkpoint_is_due():
            self._save(better)
        if self.recipe.training.steps == "auto" and self.pace.is_measured and not out_of_time:
            self._decide_steps()
        self._pace_report.interval(state.steps, self.recipe.training, loss)
        self._write_progress(now=over or out_of_time)
        if out_of_time:
            self.report(f"time is up after step {state.steps}; the same command resumes from here")
        self.model.stop_training = over or out_of_time

    def _ends_epoch(self, steps: int) -> bool:
        training = self.recipe.training
        if training.steps_per_epoch == "auto":
            return False
        return steps % training.steps_per_epoch == 0 or steps == training.steps

    def _decide_steps(self) -> None:
        """Decide the number of steps from the speed so far, and write it to the recipe."""
        if not self.pace.checkpoint:
            # To measure the time it takes, and so that nothing before has to be repeated.
            self._save(better=False)
        training, state = self.recipe.training, self.state
        epoch = training.steps_per_epoch
        left, epochs = self.pace.steps_left(None if epoch == "auto" else epoch)
        if left < self.interval:
            return
        training = training.with_steps(state.steps + left, epochs, state.steps)
        self.recipe = replace(self.recipe, training=training)
        if self.devices.chief:
            write_recipe(self.directory, self.recipe)
        self.model.optimizer.schedule.set_span(*cosine_span(training))
        self.report(
            f"training for {training.steps:,} steps, at {self.pace.steps_per_second:.3g} a second"
        )

    def _out_of_time(self) -> bool:
        if self.pace.limit is None:
            return False
        ends = self._ends_epoch(self.state.steps + self.interval)
        return self.devices.agree_with_chief(not self.pace.has_time_for(validations=int(ends)))

    def _end_epoch(self) -> bool:
        """Validate and add a row to the history; return whether the epoch is the best so far."""
        state, training, pace = self.state, self.recipe.training, self.pace
        began = time.monotonic()
        measured = self.validator.measure(self.model)
        before = state.history[-1]["step"] if state.history else 0
        figures = {"loss": state.loss / (state.steps - before), **measured}
        rate = LearningRate(training.learning_rate, *cosine_span(training))(state.steps - 1)
        row = {
            "epoch": len(state.history) + 1,
            "step": state.steps,
            "learning_rate": float(ops.convert_to_numpy(rate)),
            **figures,
        }
        state.history.append(row)
        state.loss = 0.0
        self._pace_report.epoch(row)
        samples = self.recipe.data.sampling.batch * pace.steps_per_second
        logs = figures | ({"samples_per_second": samples} if samples else {})
        self._epoch_callbacks.on_epoch_end(len(state.history) - 1, logs)
        pace.validation = time.monotonic() - began
        better = state.best is None or figures["val_psnr"] > state.best
        if better:
            state.best, state.best_epoch = figures["val_psnr"], len(state.history)
        return better

    def _write_progress(self, now: bool) -> None:
        due = time.time() - self._progress_written >= _PROGRESS_SECONDS
        if not self.devices.chief or not (now or due):
            return
        self._progress_written = time.time()
        training, step = self.recipe.training, self.state.steps
        progress = RunProgress(
            step=step,
            steps=None if training.steps == "auto" else training.steps,
            best=self.state.best,
            steps_per_second=self.pace.steps_per_second,
            seconds_left=self.pace.seconds_left(step, training),
            time=self._progress_written,
        )
        write_progress(self.directory, progress)

    def _checkpoint_is_due(self) -> bool:
        training, (steps, when) = self.recipe.training, self._saved
        by_steps, by_minutes = training.checkpoint_steps, training.checkpoint_minutes
        return (by_steps is not None and self.state.steps - steps >= by_steps) or (
            by_minutes is not None and time.monotonic() - when >= 60 * by_minutes
        )

    def _save(self, better: bool) -> None:
        began = time.monotonic()
        if self.devices.chief:
            try:
                self._write(better)
            except OSError as error:
                reason = error.strerror or str(error).splitlines()[0]
                raise CheckpointError(
                    f"{self.directory}: the checkpoint of step {self.state.steps} cannot be "
                    f"written: {reason}; that of step {self._saved[0]} is complete. Free some disk "
                    "space, then run the same command again"
                ) from error
        self._saved = self.state.steps, time.monotonic()
        self.pace.checkpoint = time.monotonic() - began

    def _write(self, better: bool) -> None:
        checkpoints.check_disk_space(self.directory, self.model)
        if better:
            best = self.validator.snapshot.model
            metadata = describe_weights(self.recipe, best, self.state.steps)
            metadata["validation"] = self.state.history[-1]
            write_best(self.directory, best, metadata)
        checkpoints.save(self.directory, self.model, self.state)
        write_history(self.directory, self.state)


def is_over(recipe: Recipe, state: RunState) -> bool:
    """Whether a run has done all its steps, or has run out of patience."""
    patience, steps = recipe.validation.patience, recipe.training.steps
    waited = patience is not None and len(state.history) - state.best_epoch >= patience > 0
    return waited or (steps != "auto" and state.steps >= steps)
