"""Many files: which source becomes which target."""

from __future__ import annotations

import glob
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tfsr.errors import ImageError, TfsrError
from tfsr.images import check_writable_format, list_images
from tfsr.images.atomic import temporary_path
from tfsr.images.formats import SUFFIXES

Existing = Literal["refuse", "skip", "overwrite"]
Fail = Callable[[Path, TfsrError], None]


@dataclass(frozen=True)
class Job:
    """One image to read, and the file to write.

    `existing` is what happens to a target that exists when it would be written.
    """

    source: Path
    target: Path
    existing: Existing = "overwrite"


@dataclass(frozen=True)
class JobResult:
    """The result of a job: one line of error, or sizes, seconds and notes on what was lost.

    `skipped` says that the target existed already and was left unchanged; `details` are those of
    the upscaler.
    """

    source: Path
    target: Path | None = None
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
    sources: Sequence[Path],
    output: Path,
    recursive: bool = False,
    suffix: str | None = None,
    existing: Existing = "overwrite",
) -> tuple[list[Job], list[JobResult]]:
    """Pair sources, which may be folders or patterns, with the files to write.

    One file goes to `output` itself if that has an image's suffix. All else goes into the folder
    `output`, which is made, under the source's own name; subfolders are kept.

    Args:
        sources: files, folders, and patterns such as faces/*.jpg.
        output: a file or a folder.
        recursive: whether subfolders are read.
        suffix: of the files to write, such as ".png"; None for the sources' own.
        existing: what happens if a target exists, now or when it would be written: "refuse" the
            job, "skip" (plan it, for `skip_done` to look at) or "overwrite". A source is never
            overwritten, nor an output of the same batch.

    Returns:
        The jobs, and the results of sources that failed already.

    Raises:
        ImageError: if the output folder cannot be made or written to.
    """
    as_file = _is_output_file(sources, output, suffix)
    folder = output.parent if as_file else output
    _make_folder(folder)
    failed: list[JobResult] = []

    def fail(source: Path, error: TfsrError) -> None:
        failed.append(JobResult(source, error=str(error)))

    found = [pair for source in sources for pair in _find(source, folder, recursive, fail)]
    # A source is never overwritten, not even through another name for it.
    protected = {_identity(path) for path, _ in found} - {None}
    key = partial(_key, folded=len(found) > 1 and _ignores_case(folder))
    jobs: dict[str, Job] = {}
    for source, name in found:
        target = output if as_file else folder / (name.with_suffix(suffix) if suffix else name)
        try:
            if not os.path.lexists(source):
                raise ImageError(f"{source}: there is no such file or folder")
            check_writable_format(target)
            if _identity(target) in protected:
                raise ImageError(f"{source}: would overwrite a source, {target}")
            if key(target) in jobs:
                raise ImageError(f"{source}: {target} is taken by {jobs[key(target)].source}")
            if existing == "refuse" and os.path.lexists(target):
                raise ImageError(f"{source}: {target} exists; overwrite or skip existing files")
        except TfsrError as error:
            fail(source, error)
        else:
            jobs[key(target)] = Job(source, target, existing)
    return list(jobs.values()), failed


def names_one_file(sources: Sequence[Path]) -> bool:
    """Return whether sources are a single file: no folder and no pattern."""
    return len(sources) == 1 and not os.path.isdir(sources[0]) and not _is_pattern(sources[0])


def _is_output_file(sources: Sequence[Path], output: Path, suffix: str | None) -> bool:
    """Whether `output` is the file to write, and not a folder."""
    single = names_one_file(sources)
    if single and output.suffix and not os.path.isdir(output):
        check_writable_format(output)  # Not a folder named large.gif.
    if output.suffix.lower() not in SUFFIXES or os.path.isdir(output):
        return False
    if not single:
        raise ImageError(f"{output}: several images need a folder; drop the suffix")
    if suffix and SUFFIXES[output.suffix.lower()] != SUFFIXES[suffix]:
        raise ImageError(f"{output}: its suffix does not match the format")
    return True


def _find(source: Path, output: Path, recursive: bool, fail: Fail) -> Iterator[tuple[Path, Path]]:
    """The files of a source, each with its name in the output folder.

    Outputs of an earlier run, if they lie in a folder of the source, are no sources.
    """
    is_pattern = _is_pattern(source)
    if not is_pattern and not os.path.isdir(source):
        yield source, Path(source.name)
        return
    matches = sorted(glob.glob(str(source), recursive=True)) if is_pattern else [source]
    if not matches:
        fail(source, ImageError(f"{source}: no file or folder matches this pattern"))
    written = os.path.realpath(output)
    top = os.path.realpath(_folder_of(source) if is_pattern else source)
    nested = written != top and _is_within(written, top)
    known: set[Path] = set()  # A pattern may match a folder, and the files in it.
    for match in map(Path, matches):
        if nested and _is_within(os.path.realpath(match), written):
            continue
        for path, name in _files_of(match, recursive, fail):
            is_output = nested and _is_within(os.path.realpath(path.parent), written)
            if not is_output and path not in known:
                known.add(path)
                yield path, name


def _files_of(source: Path, recursive: bool, fail: Fail) -> list[tuple[Path, Path]]:
    """A file, or the files of a folder, each with its name in the output folder."""
    if not os.path.isdir(source):
        return [(source, Path(source.name))]
    try:
        return [(path, path.relative_to(source)) for path in list_images(source, recursive, fail)]
    except ImageError as error:
        fail(source, error)
        return []


def _is_within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _is_pattern(source: Path) -> bool:
    return glob.has_magic(str(source)) and not os.path.lexists(source)


def _folder_of(pattern: Path) -> str:
    """The deepest folder that holds all matches of a pattern."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return os.path.join(*parts[:first]) if first else "."


def _identity(path: Path) -> tuple[int, int] | None:
    """The file itself, by whatever name; None if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _key(target: Path, folded: bool) -> str:
    """What is equal for the names of one file, which need not exist."""
    path = os.path.join(os.path.realpath(target.parent), target.name)
    return unicodedata.normalize("NFC", path).casefold() if folded else path


def _ignores_case(folder: Path) -> bool:
    """Whether names that differ in case alone are the same file."""
    with suppress(OSError), temporary_path(folder, lambda path: open(path, "xb").close()) as path:
        try:
            return os.path.lexists(path.with_name(path.name.upper()))
        finally:
            path.unlink()
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise ImageError(f"{folder}: cannot be made a folder: {reason}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImageError(f"{folder}: cannot be written to; choose another folder")
