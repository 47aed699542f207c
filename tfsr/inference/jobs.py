"""Many files: which source becomes which target."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

from tfsr.errors import ImageError, TfsrError
from tfsr.images import check_writable_format
from tfsr.images.formats import SUFFIXES
from tfsr.inference.job_files import JobFiles, has_suffix
from tfsr.inference.locations import Location

Existing = Literal["refuse", "skip", "overwrite"]


@dataclass(frozen=True)
class Job:
    """One image to read, and the file to write.

    `existing` is what happens to a target that exists when it would be written.
    """

    source: Location
    target: Location
    existing: Existing = "overwrite"


@dataclass(frozen=True)
class JobResult:
    """The result of a job: one line of error, or sizes, seconds and notes on what was lost.

    `skipped` says that the target existed already and was left unchanged; `details` are those of
    the upscaler.
    """

    source: Location
    target: Location | None = None
    error: str | None = None
    lr_size: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    skipped: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """One of "done", "skipped" and "failed"."""
        if self.error is not None:
            return "failed"
        return "skipped" if self.skipped else "done"


def plan_jobs(
    sources: Sequence[Location],
    output: str | os.PathLike[str],
    recursive: bool = False,
    suffix: str | None = None,
    existing: Existing = "overwrite",
    on_skipped: Callable[[Location], None] | None = None,
    files: JobFiles | None = None,
) -> tuple[list[Job], list[JobResult]]:
    """Pair sources, which may be folders or patterns, with the files to write.

    One file goes to `output` itself if that has an image's suffix and no slash at its end. All else
    goes into the folder `output`, which is made, under the source's own name; subfolders are kept,
    of a pattern with ** too.

    Args:
        sources: files, folders, and patterns such as faces/*.jpg.
        output: a file or a folder.
        recursive: whether subfolders are read.
        suffix: of the files to write, such as ".png"; None for the sources' own.
        existing: what happens if a target exists, now or when it would be written: "refuse" the
            job, "skip" (plan it, for `skip_done` to look at) or "overwrite". A source is never
            overwritten, nor an output of the same batch.
        on_skipped: called with each image of a folder whose format is not read, such as HEIC.
        files: where sources and targets lie; by default on this machine.

    Returns:
        The jobs, and the results of sources that failed already.

    Raises:
        ImageError: if the output folder cannot be made or written to.
    """
    files = files or JobFiles()
    is_folder = os.fspath(output).endswith(("/", os.sep))
    output = files.locate(output)
    for path in (*sources, output):
        if str(path) == "-" and not files.exists(path):
            raise ImageError("-: standard input and output are not supported; name a file")
    as_file = not is_folder and _is_output_file(sources, output, suffix, files)
    folder = files.parent(output) if as_file else output
    files.make_folder(folder)
    failed: list[JobResult] = []

    def fail(source: Location, error: TfsrError) -> None:
        failed.append(JobResult(source, error=str(error)))

    skip = on_skipped or (lambda path: None)
    found = [
        pair for source in sources for pair in files.find(source, folder, recursive, fail, skip)
    ]
    # A source is never overwritten, not even through another name for it.
    protected = {files.identity(path) for path, _ in found} - {None}
    folded = len(found) > 1 and files.ignores_case(folder)
    jobs: dict[str, Job] = {}
    for source, name in found:
        target = output if as_file else files.join(folder, _with_suffix(name, suffix))
        key = files.key(target, folded)
        try:
            check_writable_format(target)
            if files.identity(target) in protected:
                raise ImageError(f"{source}: would overwrite a source, {target}")
            if key in jobs:
                raise ImageError(f"{source}: {target} is taken by {jobs[key].source}")
            if existing == "refuse" and files.known_to_exist(target):
                raise ImageError(f"{source}: {target} exists; overwrite or skip existing files")
        except TfsrError as error:
            fail(source, error)
        else:
            jobs[key] = Job(source, target, existing)
    return list(jobs.values()), failed


def names_one_file(sources: Sequence[Location], files: JobFiles | None = None) -> bool:
    """Return whether sources are a single file: no folder and no pattern."""
    files = files or JobFiles()
    return (
        len(sources) == 1 and not files.is_folder(sources[0]) and not files.is_pattern(sources[0])
    )


def _is_output_file(
    sources: Sequence[Location], output: Location, suffix: str | None, files: JobFiles
) -> bool:
    """Whether `output` is the file to write, and not a folder."""
    single, name = names_one_file(sources, files), PurePath(output)
    if single and has_suffix(name) and not files.is_folder(output):
        check_writable_format(output)  # Not a folder named large.gif.
    if name.suffix.lower() not in SUFFIXES or files.is_folder(output):
        return False
    if not single:
        raise ImageError(f"{output}: several images need a folder; drop the suffix")
    if suffix and SUFFIXES[name.suffix.lower()] != SUFFIXES[suffix]:
        raise ImageError(f"{output}: its suffix does not match the format")
    return True


def _with_suffix(name: PurePath, suffix: str | None) -> PurePath:
    """A name with another image's suffix."""
    if suffix is None:
        return name
    return name.with_suffix(suffix) if has_suffix(name) else name.with_name(name.name + suffix)
