"""progress.json: where a run stands between two checkpoints, for those who watch it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "progress.json"


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: steps done.
        steps: of the whole run; None if that is not decided yet (`steps: auto`).
        best: best mean validation PSNR so far, dB; None before the first validation.
        steps_per_second: since it was started or resumed, without validation; 0 if not known yet.
        seconds_left: until the end, with validation and checkpoints; None if not known.
        time: when this was written, as `time.time()`.
    """

    step: int
    steps: int | None
    best: float | None
    steps_per_second: float
    seconds_left: float | None
    time: float


def write_progress(directory: Path, progress: Progress) -> None:
    """Write where a run stands; if that fails, nothing is said: the run itself matters more."""
    part = directory / f"part.{_FILE}"
    with contextlib.suppress(OSError):
        part.write_text(json.dumps(asdict(progress)) + "\n", encoding="utf-8")
        os.replace(part, directory / _FILE)


def read_progress(directory: Path) -> Progress | None:
    """Return where a run stood when it last said so; None if it never did."""
    try:
        return Progress(**json.loads((directory / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
