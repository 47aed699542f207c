"""The state of each run of a list, read from its directory."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tfsr.images.atomic import write_atomically
from tfsr.training.locks import is_locked
from tfsr.training.progress_file import read_progress
from tfsr.training.queue_list import QueuedRun

LOCK, LOG, RESULT = ".lock", "log.txt", "queue.json"
"""Files of a run's directory: locked while it is trained, its output, how it ended."""

Status = Literal["running", "waiting", "done", "failed"]


@dataclass(frozen=True)
class RunStatus:
    """The state of a run."""

    name: str  # in the list
    state: Status  # one that was stopped is waiting
    step: int = 0  # steps done; of the last checkpoint if it is not running
    steps: int | None = None  # of the whole run; None if not known
    best: float | None = None  # mean validation PSNR, dB; None before the first validation
    steps_per_second: float | None = None  # if running; None if not known
    seconds_left: float | None = None  # likewise
    line: str = ""  # why it failed, or which runs it waits for


def statuses(runs: Sequence[QueuedRun]) -> list[RunStatus]:
    """Return the state of each run of a list, in its order."""
    states = {run.name: state_of(run) for run in runs}
    return [_status(run, states) for run in runs]


def state_of(run: QueuedRun) -> Status:
    """Return the state of a run, without regard to the others of its list."""
    if is_locked(run.directory / LOCK):
        return "running"
    result = _read_json(run.directory / RESULT)
    if result.get("fingerprint") != run.fingerprint:
        return "waiting"
    state = result.get("state")
    return state if state in ("done", "failed") else "waiting"


def write_result(run: QueuedRun, state: Literal["done", "failed"], line: str = "") -> None:
    """Save how a run ended; it is valid until its entry in the list changes."""
    result = {"state": state, "line": line, "fingerprint": run.fingerprint}
    write_atomically(str(run.directory / RESULT), (json.dumps(result) + "\n").encode())


def _status(run: QueuedRun, states: dict[str, Status]) -> RunStatus:
    state, progress = states[run.name], read_progress(run.directory)
    # Older than the lock, which the queue touches, it is of an earlier start.
    lock = run.directory / LOCK
    if state == "running" and progress is not None and progress.time >= lock.stat().st_mtime:
        left = progress.seconds_left
        return RunStatus(
            name=run.name,
            state=state,
            step=progress.step,
            steps=progress.steps,
            best=progress.best,
            steps_per_second=progress.steps_per_second or None,
            seconds_left=None if left is None else max(0.0, left + progress.time - time.time()),
        )
    paths = sorted((run.directory / "checkpoints").glob("step-*"), reverse=True)
    checkpoint = next(filter(None, (_read_json(path / "state.json") for path in paths)), {})
    steps = run.steps
    if steps is None and progress is not None:
        steps = progress.steps
    step, best = int(checkpoint.get("steps", 0)), checkpoint.get("best")
    return RunStatus(run.name, state, step, steps, best, line=_line(run, states))


def _line(run: QueuedRun, states: dict[str, Status]) -> str:
    if states[run.name] == "failed":
        return str(_read_json(run.directory / RESULT).get("line", ""))
    if states[run.name] != "waiting":
        return ""
    others = [f"{name} ({states[name]})" for name in run.after if states[name] != "done"]
    return f"after {', '.join(others)}" if others else ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
