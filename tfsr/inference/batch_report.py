"""The results of a batch as JSON."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfsr.errors import ImageError
from tfsr.images.atomic import remove_abandoned, takes_data, write_atomically
from tfsr.inference.jobs import Job, JobResult

_START = b'{\n "done": '


def as_record(result: JobResult) -> dict[str, Any]:
    """Return a result as plain data. Sizes are [width, height], or null if there is none."""
    sizes = {
        name: [width, height] if height and width else None
        for name, (height, width) in (("lr_size", result.lr_size), ("size", result.size))
    }
    return {
        "source": str(result.source),
        "target": None if result.target is None else str(result.target),
        "status": result.status,
        "error": result.error,
        "notes": list(result.notes),
        **sizes,
        "seconds": round(result.seconds, 3),
        **result.details,
    }


def check_report(path: Path, overwrite: bool = False) -> None:
    """Check before any work that a report can be written: only a report is replaced unasked."""
    folder = path.parent
    if takes_data(path):
        return
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise ImageError(f"{path}: cannot be written: name a file in a writable folder")
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:  # Of a name that is too long.
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from error
    if not overwrite and not _is_report(path):
        raise ImageError(f"{path}: exists and is not a tfsr report; overwrite to replace it")


def check_report_apart(path: Path, jobs: Sequence[Job]) -> None:
    """Check that a report would not overwrite an image that is read or written."""
    report = os.path.realpath(path)
    for image in (image for job in jobs for image in (job.source, job.target)):
        if os.path.realpath(image) == report:
            raise ImageError(f"{path}: the report would overwrite {image}")


def write_report(path: Path, results: Sequence[JobResult]) -> None:
    """Write a JSON file: counts of each status, and every file's record."""
    counts = Counter(result.status for result in results)
    report = {
        **{status: counts[status] for status in ("done", "skipped", "failed")},
        "files": [as_record(result) for result in results],
    }
    remove_abandoned(path.parent)
    try:
        write_atomically(str(path), json.dumps(report, indent=1).encode() + b"\n")
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from error


def _is_report(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_START)) == _START
    except OSError:
        return False
