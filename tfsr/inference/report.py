"""What became of a batch, for programs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfsr.errors import ImageError
from tfsr.images.temporary import remove_abandoned, write_atomically
from tfsr.inference.jobs import Outcome


def as_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data. Sizes are [width, height], or null where there is none."""
    return {
        "source": str(outcome.source),
        "target": None if outcome.target is None else str(outcome.target),
        "status": outcome.status,
        "error": outcome.error,
        "notes": list(outcome.notes),
        "lr_size": _width_first(outcome.lr_size),
        "size": _width_first(outcome.size),
        "seconds": round(outcome.seconds, 3),
    }


def check_report(path: Path, sources: Sequence[Path]) -> None:
    """Raise unless a report can be written there, before any work is done.

    Raises:
        ImageError: if its folder is not there or not writable, or it would replace a source.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise ImageError(f"{path}: cannot be written: name a file in a writable folder")
    if path.exists() and any(os.path.exists(s) and os.path.samefile(path, s) for s in sources):
        raise ImageError(f"{path}: the report would be written over a source")


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write a JSON file: how many of each status, and every file's record.

    Raises:
        ImageError: if it cannot be written.
    """
    counts = Counter(outcome.status for outcome in outcomes)
    report = {
        **{status: counts[status] for status in ("done", "skipped", "failed")},
        "files": [as_record(outcome) for outcome in outcomes],
    }
    remove_abandoned(path.parent)
    try:
        write_atomically(str(path), json.dumps(report, indent=1).encode() + b"\n")
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from error


def _width_first(size: tuple[int, int]) -> list[int] | None:
    return [size[1], size[0]] if min(size) > 0 else None
