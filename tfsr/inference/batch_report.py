"""The results of a batch as JSON."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfsr.errors import ImageError
from tfsr.images.atomic import remove_abandoned, write_atomically
from tfsr.inference.jobs import Job, JobResult

_START = b'{\n "done": '


def as_record(result: JobResult) -> dict[str, Any]:
    """Return a result as plain data. Sizes are [width, height], or null if there is none."""
    return {
        "source": str(result.source),
        "target": None if result.target is None else str(result.target),
        "status": result.status,
        "error": result.error,
        "notes": list(result.notes),
        "lr_size": _width_first(result.lr_size),
        "size": _width_first(result.size),
        "seconds": round(result.seconds, 3),
    }


def check_report(path: Path, overwrite: bool = False) -> None:
    """Check that a report can be written there, before any work is done.

    Args:
        path: the file. An earlier report is replaced.
        overwrite: bool. Whether any other file is replaced too. Defaults to False.

    Raises:
        ImageError: if its folder does not exist or is not writable, or another file exists there.
    """
    folder = path.parent
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise ImageError(f"{path}: cannot be written: name a file in a writable folder")
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:  # Of a name that is too long.
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from error
    if not overwrite and not _is_report(path):
        raise ImageError(f"{path}: exists and is no report; choose overwrite to replace it")


def check_report_apart(path: Path, jobs: Sequence[Job]) -> None:
    """Check that a report would not overwrite an image that is read or written.

    Raises:
        ImageError: naming the image.
    """
    report = os.path.realpath(path)
    for job in jobs:
        for image in (job.source, job.target):
            if os.path.realpath(image) == report:
                raise ImageError(f"{path}: the report would overwrite {image}")


def write_report(path: Path, results: Sequence[JobResult]) -> None:
    """Write a JSON file: counts of each status, and every file's record.

    Raises:
        ImageError: if it cannot be written.
    """
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


def _width_first(size: tuple[int, int]) -> list[int] | None:
    return [size[1], size[0]] if min(size) > 0 else None
