"""Many files: which source becomes which target."""

from __future__ import annotations

import glob
import os
import re
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
    output: str | os.PathLike[str],
    recursive: bool = False,
    suffix: str | None = None,
    existing: Existing = "overwrite",
    on_skipped: Callable[[Path], None] | None = None,
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

    Returns:
        The jobs, and the results of sources that failed already.

    Raises:
        ImageError: if the output folder cannot be made or written to.
    """
    is_folder = os.fspath(output).endswith(("/", os.sep))
    output = Path(output)
    for path in (*sources, output):
        if str(path) == "-" and not os.path.lexists(path):
            raise ImageError("-: standard input and output are not supported; name a file")
    as_file = not is_folder and _is_output_file(sources, output, suffix)
    folder = output.parent if as_file else output
    _make_folder(folder)
    failed: list[JobResult] = []

    def fail(source: Path, error: TfsrError) -> None:
        failed.append(JobResult(source, error=str(error)))

    list_folder = partial(list_images, recursive=recursive, on_error=fail, on_skipped=on_skipped)
    found = [pair for source in sources for pair in _find(source, folder, list_folder, fail)]
    # A source is never overwritten, not even through another name for it.
    protected = {_identity(path) for path, _ in found} - {None}
    key = partial(_key, folded=len(found) > 1 and _ignores_case(folder))
    jobs: dict[str, Job] = {}
    for source, name in found:
        target = output if as_file else folder / _with_suffix(name, suffix)
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
    if single and _has_suffix(output) and not os.path.isdir(output):
        check_writable_format(output)  # Not a folder named large.gif.
    if output.suffix.lower() not in SUFFIXES or os.path.isdir(output):
        return False
    if not single:
        raise ImageError(f"{output}: several images need a folder; drop the suffix")
    if suffix and SUFFIXES[output.suffix.lower()] != SUFFIXES[suffix]:
        raise ImageError(f"{output}: its suffix does not match the format")
    return True


def _with_suffix(name: Path, suffix: str | None) -> Path:
    """A name with another image's suffix: that of scan.2023 is none."""
    if suffix is None:
        return name
    return name.with_suffix(suffix) if _has_suffix(name) else name.with_name(name.name + suffix)


def _has_suffix(name: Path) -> bool:
    return re.fullmatch(r"\.[^\W\d]\w*", name.suffix) is not None


def _find(
    source: Path, output: Path, list_folder: Callable[[Path], list[Path]], fail: Fail
) -> Iterator[tuple[Path, Path]]:
    """The files of a source, each with its name in the output folder.

    Outputs of an earlier run, if they lie in a folder of the source, are no sources.
    """
    is_pattern = _is_pattern(source)
    if not is_pattern and not os.path.isdir(source):
        yield source, Path(source.name)
        return
    folder, rest = _split(source) if is_pattern else (os.fspath(source), [])
    matches = [source]
    if is_pattern:
        matches = [Path(match) for match in sorted(set(_glob(folder, rest)))]
    if not matches:
        fail(source, ImageError(f"{source}: no file or folder matches this pattern"))
    written = os.path.realpath(output)
    top = os.path.realpath(folder or ".")
    nested = written != top and _is_within(written, top)
    known: set[Path] = set()  # A pattern may match a folder, and the files in it.
    for match in matches:
        if nested and _is_within(os.path.realpath(match), written):
            continue
        # The folders that ** stands for are kept.
        base = Path(folder) if "**" in rest else None
        for path, name in _files_of(match, base, list_folder, fail):
            is_output = nested and _is_within(os.path.realpath(path.parent), written)
            if not is_output and path not in known:
                known.add(path)
                yield path, name


def _files_of(
    source: Path, base: Path | None, list_folder: Callable[[Path], list[Path]], fail: Fail
) -> list[tuple[Path, Path]]:
    """A file, or the files of a folder, each with its name in the output folder: below `base`."""
    if not os.path.isdir(source):
        return [(source, source.relative_to(base) if base else Path(source.name))]
    try:
        return [(path, path.relative_to(base or source)) for path in list_folder(source)]
    except ImageError as error:
        fail(source, error)
        return []


def _is_within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _is_pattern(source: Path) -> bool:
    return glob.has_magic(str(source)) and not os.path.lexists(source)


def _glob(folder: str, parts: list[str]) -> Iterator[str]:
    """As `glob.glob`, but ** enters no links, which may lead in circles."""
    if "**" not in parts:
        # What exists by its name, such as a folder "2020 [raw]", is no pattern.
        yield from glob.glob(os.path.join(glob.escape(folder), *parts))
        return
    before, rest = parts[: parts.index("**")], parts[parts.index("**") + 1 :]
    for top in _glob(folder, before) if before else [folder or os.curdir]:
        for inner, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name[0] != "."]
            if rest:
                yield from _glob(inner, rest)
            else:
                yield from (os.path.join(inner, name) for name in names if name[0] != ".")


def _split(pattern: Path) -> tuple[str, list[str]]:
    """The deepest folder that holds all matches of a pattern, and the pattern in it."""
    folder, parts = "", list(pattern.parts)
    while parts:
        inner = os.path.join(folder, parts[0])
        if glob.has_magic(parts[0]) and not os.path.lexists(inner):
            break
        folder = inner
        del parts[0]
    return folder, parts


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
