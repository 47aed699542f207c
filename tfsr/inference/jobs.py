"""Many files: which become which."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfsr.errors import ImageError, TfsrError
from tfsr.images import check_writable_format, list_images
from tfsr.images.formats import SUFFIXES

Existing = Literal["refuse", "skip", "overwrite"]

_SIGNS = "*?["


@dataclass(frozen=True)
class Job:
    """One image to read, and the file to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class JobResult:
    """What became of a source.

    Attributes:
        source: the file, or the folder that could not be read.
        target: the file to write; None where it was not even planned.
        error: one line, or None if the target is there and whole.
        lr_size: (h, w) of what was read.
        size: (H, W) of what was written.
        seconds: how long it was worked on.
        notes: what a user should know of the output, a few words each.
        skipped: whether the target had been there before, and was left as it is.
    """

    source: Path
    target: Path | None = None
    error: str | None = None
    lr_size: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    skipped: bool = False

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

    One file goes to `output` itself if that has a suffix, which must be an image's. All else goes
    into the folder `output`, which is made, under the source's own name; what lies in folders of a
    folder, into the same folders there.

    Args:
        sources: files, folders, and patterns such as faces/*.jpg for what no file is called.
        output: a file or a folder.
        recursive: bool. Whether folders in folders are entered. Defaults to False.
        suffix: of the files to write, such as ".png". Defaults to the sources' own.
        existing: what happens to a file that is there already: "refuse" to do the job, leave it to
            be looked at ("skip"), or "overwrite" it. A source is never written over.

    Returns:
        The jobs, and the outcomes of sources that failed already: a folder that cannot be read, a
        name that another source has taken, a target that is a source, or is there.

    Raises:
        ImageError: if the output folder cannot be made or written to.
    """
    single = names_one_file(sources)
    if single and output.suffix and not os.path.isdir(output):
        check_writable_format(output)  # Not a folder named large.gif.
    as_file = output.suffix.lower() in SUFFIXES and not os.path.isdir(output)
    if as_file and not single:
        raise ImageError(f"{output}: several images need a folder; drop the suffix")
    if as_file and suffix and SUFFIXES[output.suffix.lower()] != SUFFIXES[suffix]:
        raise ImageError(f"{output}: its suffix is not that of --format; change one of the two")
    folder = output.parent if as_file else output
    _make_folder(folder)
    failed: list[JobResult] = []

    def fail(source: Path, error: TfsrError) -> None:
        failed.append(JobResult(source, error=str(error)))

    found: list[tuple[Path, Path]] = []
    for source in sources:
        found += _found(source, folder, recursive, fail)
    # A source is never written over, not even through another name for it.
    protected = {_identity(path) for path, _ in found} - {None}
    jobs: list[Job] = []
    taken: dict[str, Path] = {}
    for source, name in found:
        target = output if as_file else folder / (name.with_suffix(suffix) if suffix else name)
        try:
            if not os.path.lexists(source):
                raise ImageError(f"{source}: there is no such file or folder")
            check_writable_format(target)
            if _identity(target) in protected:
                raise ImageError(f"{source}: would be written over a source, {target}")
            if str(target) in taken:
                raise ImageError(f"{source}: {target} is taken by {taken[str(target)]}")
            if existing == "refuse" and os.path.lexists(target):
                raise ImageError(
                    f"{source}: {target} exists; --overwrite replaces it, --skip-existing keeps it"
                )
        except TfsrError as error:
            fail(source, error)
            continue
        taken[str(target)] = source
        jobs.append(Job(source, target))
    return jobs, failed


def names_one_file(sources: Sequence[Path]) -> bool:
    """Whether sources are one file, by its own name: no folder and no pattern."""
    return len(sources) == 1 and not os.path.isdir(sources[0]) and not _is_pattern(sources[0])


def _found(
    source: Path, output: Path, recursive: bool, fail: Callable[[Path, TfsrError], None]
) -> Iterator[tuple[Path, Path]]:
    """The files that a source means, each with its name in the output folder.

    The outputs of an earlier run, if they lie in a folder of the source, are no sources.
    """
    if not os.path.isdir(source) and not _is_pattern(source):
        yield source, Path(source.name)
        return
    is_pattern = _is_pattern(source)
    matches = sorted(glob.glob(str(source), recursive=True)) if is_pattern else [source]
    if not matches:
        fail(source, ImageError(f"{source}: no file or folder matches this pattern"))
    written = os.path.realpath(output)
    top = os.path.realpath(_folder_of(source) if is_pattern else source)
    nested = written != top and _within(written, top)
    known: set[Path] = set()
    for match in map(Path, matches):
        if nested and _within(os.path.realpath(match), written):
            continue
        for path, name in _listed(match, recursive, fail):
            answered = nested and _within(os.path.realpath(path.parent), written)
            if not answered and path not in known:  # A folder may match, and what lies in it.
                known.add(path)
                yield path, name


def _listed(
    source: Path, recursive: bool, fail: Callable[[Path, TfsrError], None]
) -> list[tuple[Path, Path]]:
    """A file, or the files of a folder, each with its name in the output folder."""
    if not os.path.isdir(source):
        return [(source, Path(source.name))]
    try:
        return [(path, path.relative_to(source)) for path in list_images(source, recursive, fail)]
    except ImageError as error:
        fail(source, error)
        return []


def _within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _is_pattern(source: Path) -> bool:
    return any(sign in str(source) for sign in _SIGNS) and not os.path.lexists(source)


def _folder_of(pattern: Path) -> str:
    """The folder in which all that a pattern matches lies."""
    text = str(pattern)
    first = min(text.index(sign) for sign in _SIGNS if sign in text)
    return os.path.dirname(text[:first]) or "."


def _identity(path: Path) -> tuple[int, int] | None:
    """What a file is, by whatever name; None if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise ImageError(f"{folder}: cannot be made a folder: {reason}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImageError(f"{folder}: cannot be written to; choose another folder")
