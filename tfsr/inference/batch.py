"""Many files: which become which, and what became of each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr.errors import ImageError, TfsrError
from tfsr.images import check_writable_format, list_images, read, write
from tfsr.images.files import SUFFIXES
from tfsr.inference.sizes import TargetSize


@dataclass(frozen=True)
class Job:
    """One picture to read, and the file to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a source.

    Attributes:
        source: the file, or the folder that could not be read.
        target: the file to write; None where it was not even planned.
        error: one line, or None if the target was written.
        lr_size: (h, w) of what was read.
        size: (H, W) of what was written.
        seconds: how long it took.
    """

    source: Path
    target: Path | None = None
    error: str | None = None
    lr_size: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0


def plan_jobs(sources: Sequence[Path], output: Path) -> tuple[list[Job], list[Outcome]]:
    """Pair sources, which may be folders, with the files to write.

    One file goes to `output` itself if that has a suffix, which must be a picture's. All else goes
    into the folder `output`, which is made, under the source's own name.

    Args:
        sources: files and folders.
        output: a file or a folder.

    Returns:
        The jobs, and the outcomes of sources that failed already: a folder that cannot be read, a
        name that another source has taken, a target that is a source.

    Raises:
        ImageError: if the output folder cannot be made or written to.
    """
    single = len(sources) == 1 and not sources[0].is_dir()
    if single and output.suffix and not output.is_dir():
        check_writable_format(output)  # Not a folder named large.bmp.
    as_file = output.suffix.lower() in SUFFIXES and not output.is_dir()
    if as_file and not single:
        raise ImageError(f"{output}: several pictures need a folder; drop the suffix")
    folder = output.parent if as_file else output
    _make_folder(folder)
    failed: list[Outcome] = []
    files: list[Path] = []
    for source in sources:
        try:
            files += list_images(source) if source.is_dir() else [source]
        except TfsrError as error:
            failed.append(Outcome(source, error=str(error)))
    # A source is never written over, not even through another name for it.
    protected = {os.path.realpath(path) for path in files}
    jobs: list[Job] = []
    taken: dict[str, Path] = {}
    for source in files:
        target = output if as_file else folder / source.name
        try:
            if not os.path.lexists(source):
                raise ImageError(f"{source}: there is no such file or folder")
            check_writable_format(target)
            if os.path.realpath(target) in protected:
                raise ImageError(f"{source}: would be written over a source, {target}")
            if str(target) in taken:
                raise ImageError(f"{source}: {target} is taken by {taken[str(target)]}")
        except TfsrError as error:
            failed.append(Outcome(source, error=str(error)))
            continue
        taken[str(target)] = source
        jobs.append(Job(source, target))
    return jobs, failed


def run_jobs(
    jobs: Sequence[Job],
    target_size: TargetSize,
    upscale: Callable[[np.ndarray, tuple[int, int]], np.ndarray],
) -> Iterator[Outcome]:
    """Do the jobs one by one; a failed one is told and the rest go on.

    Args:
        jobs: from `plan_jobs`.
        target_size: the size of every answer.
        upscale: an `Upscaler`, or any function of its shape.
    """
    for job in jobs:
        start = time.perf_counter()
        lr_size = size = (0, 0)
        try:
            image = read(job.source)
            lr_size = (image.shape[0], image.shape[1])
            size = _size_of(job, target_size, lr_size)
            write(job.target, upscale(image, size))
        except TfsrError as error:
            yield Outcome(job.source, job.target, _naming(job.source, error))
            continue
        except Exception as error:
            # What the backend raises where NumPy raises MemoryError; no backend is imported here.
            if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
                raise
            wanted = f"{size[1]}x{size[0]} pixels"
            yield Outcome(job.source, job.target, f"{job.source}: not enough memory for {wanted}")
            continue
        seconds = time.perf_counter() - start
        yield Outcome(job.source, job.target, None, lr_size, size, seconds)


def _size_of(job: Job, target_size: TargetSize, lr_size: tuple[int, int]) -> tuple[int, int]:
    size = target_size.of(lr_size)
    check_writable_format(job.target, size)
    return size


def _naming(source: Path, error: TfsrError) -> str:
    """The error's line, with the file's name before it unless it has it already."""
    line = str(error)
    return line if isinstance(error, ImageError) else f"{source}: {line}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise ImageError(f"{folder}: cannot be made a folder: {reason}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImageError(f"{folder}: cannot be written to; choose another folder")
