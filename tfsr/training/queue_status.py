"""Where each run of a list stands, read from what its directory holds."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tfsr.images.atomic import write_atomically
from tfsr.training.locks import is_locked
from tfsr.training.progress import read_progress
from tfsr.training.queue_list import QueuedRun

LOCK, LOG, RESULT = ".lock", "log.txt", "queue.json"
"""Files of a run's directory: locked while it is trained, its output, how it ended."""

State = Literal["running", "waiting", "done", "failed"]


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Attributes:
        name: in the list.
        state: "waiting" may have been stopped: `step` says how far it is.
        step: steps done; those of the last checkpoint if it is not running.
        steps: of the whole run; None if that is not known yet.
        best: best mean validation PSNR so far, dB; None before the first validation.
        steps_per_second: of a running one; None if not known.
        seconds_left: of a running one; None if not known.
        line: why it failed, or what it waits for; else empty.
    """

    name: str
    state: State
    step: int = 0
    steps: int | None = None
    best: float | None = None
    steps_per_second: float | None = None
    seconds_left: float | None = None
    line: str = ""


def statuses(runs: Sequence[QueuedRun]) -> list[RunStatus]:
    """Return where each run of a list stands, in the list's order."""
    found: dict[str, RunStatus] = {}
    # Those that others wait for may stand behind them in the list.
    states = {run.name: state_of(run) for run in runs}
    for run in runs:
        found[run.name] = _status(run, states)
    return list(found.values())


def state_of(run: QueuedRun) -> State:
    """Return the state of a run, with no regard to the others of its list."""
    if is_locked(run.directory / LOCK):
        return "running"
    result = _read_json(run.directory / RESULT)
    if result.get("fingerprint") != run.fingerprint:
        return "waiting"
    state = result.get("state")
    return state if state in ("done", "failed") else "waiting"


def write_result(run: QueuedRun, state: Literal["done", "failed"], line: str = "") -> None:
    """Keep how a run ended, for as long as the list says the same of it.

    Raises:
        OSError: if it cannot be written.
    """
    result = {"state": state, "line": line, "fingerprint": run.fingerprint}
    write_atomically(str(run.directory / RESULT), (json.dumps(result) + "\n").encode())


def _status(run: QueuedRun, states: dict[str, State]) -> RunStatus:
    state = states[run.name]
    progress = read_progress(run.directory)
    if state == "running" and progress is not None and progress.time >= _started(run):
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
    checkpoint = _newest_checkpoint(run.directory)
    steps = run.steps
    if steps is None and progress is not None:
        steps = progress.steps
    return RunStatus(
        name=run.name,
        state=state,
        step=int(checkpoint.get("steps", 0)),
        steps=steps,
        best=checkpoint.get("best"),
        line=_line(run, states),
    )


def _line(run: QueuedRun, states: dict[str, State]) -> str:
    if states[run.name] == "failed":
        return str(_read_json(run.directory / RESULT).get("line", ""))
    if states[run.name] != "waiting":
        return ""
    others = [f"{name} ({states[name]})" for name in run.after if states[name] != "done"]
    return f"after {', '.join(others)}" if others else ""


def _started(run: QueuedRun) -> float:
    """When the queue started it, which is when its lock was made anew."""
    try:
        return (run.directory / LOCK).stat().st_mtime
    except OSError:
        return 0.0


def _newest_checkpoint(directory: Path) -> dict[str, Any]:
    for path in sorted((directory / "checkpoints").glob("step-*"), reverse=True):
        if state := _read_json(path / "state.json"):
            return state
    return {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
