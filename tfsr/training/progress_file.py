"""progress.json: the progress of a run between two checkpoints, for `tfsr queue show`."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tfsr.images.atomic import write_atomically

_FILE = "progress.json"


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run."""

    step: int  # steps done
    steps: int | None  # of the whole run; None if not decided yet (`steps: auto`)
    best: float | None  # mean validation PSNR, dB; None before the first validation
    steps_per_second: float  # without validation; 0 if not known yet
    seconds_left: float | None  # with validation and checkpoints; None if not known
    time: float  # when this was written, as `time.time()`


def write_progress(directory: Path, progress: RunProgress) -> None:
    """Write the progress of a run; a failure is ignored, because the run itself matters more."""
    content = json.dumps(asdict(progress)) + "\n"
    with contextlib.suppress(OSError):
        write_atomically(str(directory / _FILE), content.encode(), synchronise=False)


def read_progress(directory: Path) -> RunProgress | None:
    """Read the last progress of a run; None if there is none."""
    try:
        return RunProgress(**json.loads((directory / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
