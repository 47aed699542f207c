"""The states that a run can be resumed from: the last two, each complete or absent.

`checkpoints/step-00012000` holds `model.weights.h5` (weights, optimizer, moving average) and
`state.json` (steps, history, best PSNR, and the sha256 of the weights and of these). It is written
under another name, synchronised and renamed, so a run killed at any moment leaves complete ones.
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
from tfsr.images.atomic import check_space
from tfsr.regular_files import read_regular

_WEIGHTS, _STATE = "model.weights.h5", "state.json"
_NUMBER = 2
_MAX_STATE = 2**26  # A record of 300 bytes for each epoch.


@dataclass
class RunState:
    """The progress of a run, as its checkpoints have it."""

    steps: int = 0  # steps done
    loss: float = 0.0  # sum since the last epoch's end
    best: float | None = None  # mean validation PSNR, dB; None before the first epoch
    best_epoch: int = 0  # from 1
    history: list[dict[str, float]] = field(default_factory=list)  # figures of each epoch


def check_disk_space(run: Path, model: keras.Model) -> None:
    """Raise OSError unless the disk has space for the best weights and a checkpoint."""
    variables = [*model.weights, *model.weights, *model.optimizer.variables]
    # At most 8 bytes a number. Most have 4, which leaves enough for HDF5's own.
    check_space(run, 2**20 + sum(8 * math.prod(variable.shape) for variable in variables))


def save(run: Path, model: keras.Model, state: RunState) -> None:
    """Write a checkpoint of a compiled model, and remove all but the last two."""
    folder = run / "checkpoints"
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        model.save_weights(part / _WEIGHTS)
        content = asdict(state)
        content["sha256"] = _signature(_sha256(part / _WEIGHTS), content)
        (part / _STATE).write_text(json.dumps(content) + "\n", encoding="utf-8")
        for path in (part / _WEIGHTS, part / _STATE, part):
            _synchronise(path)
        final = folder / f"step-{state.steps:08d}"
        # Exists only if it was damaged, and the run was resumed from the one before.
        shutil.rmtree(final, ignore_errors=True)
        os.replace(part, final)
        _synchronise(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for old in list_checkpoints(run)[:-_NUMBER]:
        shutil.rmtree(old, ignore_errors=True)


def list_checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first."""
    return sorted((run / "checkpoints").glob("step-*"))


def newest(run: Path, report: Callable[[str], None]) -> tuple[Path, RunState] | None:
    """Find the newest complete checkpoint; None if the run has none. Damaged ones are reported.

    Raises:
        CheckpointError: if all are damaged.
    """
    checkpoints = list_checkpoints(run)
    for path in reversed(checkpoints):
        try:
            content = json.loads(read_regular(path / _STATE, _MAX_STATE))
            found, weights = content.pop("sha256"), _sha256(path / _WEIGHTS)
            # Earlier versions signed the weights alone.
            if found not in (_signature(weights, content), weights):
                raise ValueError(f"{_WEIGHTS} and {_STATE} were not written together (sha256)")
            return path, RunState(**content)
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
    """Load the weights and the optimizer of a checkpoint into a compiled model."""
    try:
        model.optimizer.build(model.trainable_variables)
        with warnings.catch_warnings():
            # Keras only warns if the optimizer's variables are not those of the file.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(checkpoint / _WEIGHTS)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{checkpoint}: does not fit this recipe: {reason}") from error


def _signature(weights: str, state: dict[str, Any]) -> str:
    """The sha256 of a state and of the sha256 of its weights."""
    text = json.dumps([weights, state], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _synchronise(path: Path) -> None:
    """Wait until a file, or a folder's list of names, has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
