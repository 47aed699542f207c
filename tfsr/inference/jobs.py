"""Many files: which become which."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfsr.errors import ImageError, TfsrError
from tfsr.images import check_writable_format, list_images
from tfsr.images.formats import SUFFIXES

Existing = Literal["refuse", "skip", "overwrite"]


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
        error: one line, or None if the target is there and whole.
        lr_size: (h, w) of what was read.
        size: (H, W) of what was written.
        seconds: how long it was worked on.
        notes: what a user should know of the answer, a few words each.
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
) -> tuple[list[Job], list[Outcome]]:
    """Pair sources, which may be folders or patterns, with the files to write.

    One file goes to `output` itself if that has a suffix, which must be a picture's. All else goes
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
    if single and output.suffix and not output.is_dir():
        check_writable_format(output)  # Not a folder named large.gif.
    as_file = output.suffix.lower() in SUFFIXES and not output.is_dir()
    if as_file and not single:
        raise ImageError(f"{output}: several pictures need a folder; drop the suffix")
    if as_file and suffix and SUFFIXES[output.suffix.lower()] != SUFFIXES[suffix]:
        raise ImageError(f"{output}: its suffix is not that of --format; change one of the two")
    folder = output.parent if as_file else output
    _make_folder(folder)
    failed: list[Outcome] = []
    found: list[tuple[Path, Path]] = []
    for source in sources:
        try:
            found += _found(source, folder, recursive)
        except TfsrError as error:
            failed.append(Outcome(source, error=str(error)))
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
            failed.append(Outcome(source, error=str(error)))
            continue
        taken[str(target)] = source
        jobs.append(Job(source, target))
    return jobs, failed


def names_one_file(sources: Sequence[Path]) -> bool:
    """Whether sources are one file, by its own name: no folder and no pattern."""
    return len(sources) == 1 and not sources[0].is_dir() and not _is_pattern(sources[0])


def _found(source: Path, output: Path, recursive: bool) -> Iterator[tuple[Path, Path]]:
    """The files that a source means, each with its name in the output folder."""
    if source.is_dir():
        written = os.path.realpath(output)
        for path in list_images(source, recursive):
            # The answers of an earlier run, if they lie in a folder of the source, are no sources.
            inside = os.path.realpath(path.parent)
            if path.parent == source or not (inside + os.sep).startswith(written + os.sep):
                yield path, path.relative_to(source)
    elif _is_pattern(source):
        matches = sorted(glob.glob(str(source), recursive=True))
        if not matches:
            raise ImageError(f"{source}: no file or folder matches this pattern")
        for match in matches:
            yield from _found(Path(match), output, recursive)
    else:
        yield source, Path(source.name)


def _is_pattern(source: Path) -> bool:
    return any(sign in str(source) for sign in "*?[") and not os.path.lexists(source)


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
