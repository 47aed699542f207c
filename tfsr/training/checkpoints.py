"""The states a run can go on from: whole or not there, the last two kept.

`checkpoints/step-00012000` holds `model.weights.h5` (weights, optimizer, moving average) and
`state.json` (steps done, history, best PSNR, and the weights' sha256). It is written under another
name, brought to the disk and renamed, so a run that is killed at any moment leaves whole ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

from tfsr.errors import CheckpointError

_WEIGHTS, _STATE = "model.weights.h5", "state.json"
_KEPT = 2


@dataclass
class State:
    """How far a run is.

    Attributes:
        steps: steps done.
        loss: sum of the losses of the steps since the last epoch's end.
        best: the best mean validation PSNR so far, dB; None before the first epoch.
        best_epoch: the epoch that reached it, from 1.
        history: a row of figures for each epoch.
    """

    steps: int = 0
    loss: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def check_room(run: Path, model: keras.Model) -> None:
    """Find out whether the disk takes the best weights and a checkpoint, before they are written.

    HDF5 does not survive a write that fails: the process would end without a word.

    Args:
        run: the run's directory.
        model: compiled.

    Raises:
        OSError: if it does not.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    variables = [*model.weights, *model.weights, *model.optimizer.variables]
    # No variable has more than 8 bytes a number; most have 4, which leaves room for HDF5's own.
    size = 2**20 + sum(8 * math.prod(variable.shape) for variable in variables)
    path = run / "part.room"
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    finally:
        path.unlink(missing_ok=True)


def save(run: Path, model: keras.Model, state: State) -> None:
    """Write a checkpoint, and drop all but the last two.

    Args:
        run: the run's directory.
        model: compiled.
        state: that of the run now.

    Raises:
        OSError: if it cannot be written; those before it are as they were.
    """
    folder = run / "checkpoints"
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        model.save_weights(part / _WEIGHTS)
        content = {**asdict(state), "sha256": _sha256(part / _WEIGHTS)}
        (part / _STATE).write_text(json.dumps(content) + "\n", encoding="utf-8")
        for path in (part / _WEIGHTS, part / _STATE, part):
            _to_disk(path)
        final = folder / f"step-{state.steps:08d}"
        # There already only where a damaged one was fallen back from.
        shutil.rmtree(final, ignore_errors=True)
        os.replace(part, final)
        _to_disk(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for old in found(run)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def found(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first."""
    return sorted((run / "checkpoints").glob("step-*"))


def newest(run: Path, report: Callable[[str], None]) -> tuple[Path, State] | None:
    """The newest checkpoint that is whole, and its state; None if the run has none at all.

    Args:
        run: the run's directory.
        report: called with a line for each damaged one that is passed over.

    Raises:
        CheckpointError: if there are some, and all are damaged.
    """
    checkpoints = found(run)
    for path in reversed(checkpoints):
        try:
            content = json.loads((path / _STATE).read_text(encoding="utf-8"))
            if content.pop("sha256") != _sha256(path / _WEIGHTS):
                raise ValueError(f"{_WEIGHTS} is not the file that {_STATE} describes (sha256)")
            return path, _state(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            report(f"warning: {path}: the checkpoint is damaged: {reason}")
    if checkpoints:
        raise CheckpointError(
            f"{run / 'checkpoints'}: every checkpoint is damaged; remove the directory {run} to "
            "start the run again"
        )
    return None


def load(checkpoint: Path, model: keras.Model) -> None:
    """Load the weights and the optimizer of a checkpoint into a compiled model.

    Raises:
        CheckpointError: if they do not fit the model.
    """
    try:
        model.optimizer.build(model.trainable_variables)
        with warnings.catch_warnings():
            # Keras only warns if the optimizer's variables are not those of the file.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(checkpoint / _WEIGHTS)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{checkpoint}: does not fit this recipe: {reason}") from error


def _state(content: dict[str, Any]) -> State:
    state = State(**content)
    if not isinstance(state.steps, int) or not isinstance(state.history, list):
        raise ValueError(f"{_STATE} describes no run")
    return state


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
