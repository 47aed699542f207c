"""The files of a batch: found, read and written by their paths."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePath

from tfsr.errors import ImageError, TfsrError
from tfsr.images import list_images
from tfsr.images.atomic import remove_abandoned, temporary_path
from tfsr.images.files import writing
from tfsr.inference.locations import Location

Fail = Callable[[Location, TfsrError], None]
Skip = Callable[[Location], None]


class JobFiles:
    """Files of this machine and of the disks that it shares.

    A subclass may know URLs too; here every location is a path.
    """

    def locate(self, text: str | os.PathLike[str]) -> Location:
        """Return the location that a text names."""
        return Path(text)

    def exists(self, location: Location) -> bool:
        """Whether something has that name, be it a broken link."""
        return os.path.lexists(location)

    def known_to_exist(self, location: Location) -> bool:
        """Whether something has that name, as far as is known without asking a server."""
        return self.exists(location)

    def is_file(self, location: Location) -> bool:
        """Whether it is a file that can be read."""
        return os.path.isfile(location)

    def is_folder(self, location: Location) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(location)

    def is_pattern(self, location: Location) -> bool:
        """Whether it is a pattern. What exists by its name, such as "2020 [raw]", is none."""
        return glob.has_magic(str(location)) and not self.exists(location)

    def parent(self, location: Location) -> Location:
        """Return the folder that a file lies in."""
        return Path(location).parent

    def join(self, folder: Location, name: PurePath) -> Location:
        """Return the location of a file in a folder."""
        return Path(folder) / name

    def identity(self, location: Location) -> Hashable | None:
        """Return what is equal for all names of an existing file; None if there is none."""
        try:
            status = os.stat(location)
        except (OSError, ValueError):
            return None
        return status.st_dev, status.st_ino

    def key(self, location: Location, folded: bool) -> str:
        """Return what is equal for the names of one file, which need not exist."""
        folder, name = os.path.split(location)
        path = os.path.join(os.path.realpath(folder), name)
        return unicodedata.normalize("NFC", path).casefold() if folded else path

    def ignores_case(self, folder: Location) -> bool:
        """Whether names in a folder that differ in case alone are the same file."""
        with suppress(OSError), temporary_path(Path(folder), _create) as path:
            try:
                return os.path.lexists(path.with_name(path.name.upper()))
            finally:
                path.unlink()
        return False

    def make_folder(self, location: Location) -> None:
        """Make a folder of outputs; ImageError if it cannot be made or written to."""
        try:
            os.makedirs(location, exist_ok=True)
        except OSError as error:
            reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
            raise ImageError(f"{location}: cannot be made a folder: {reason}") from error
        if not os.access(location, os.W_OK | os.X_OK):
            raise ImageError(f"{location}: cannot be written to; choose another folder")

    def find(
        self, source: Location, output: Location, recursive: bool, fail: Fail, on_skipped: Skip
    ) -> Iterator[tuple[Location, PurePath]]:
        """Yield the files of a source, each with its name in the output folder.

        Outputs of an earlier run, if they lie in a folder of the source, are no sources.
        """
        source = Path(source)
        is_pattern = self.is_pattern(source)
        if not is_pattern and not os.path.isdir(source):
            if os.path.lexists(source):
                yield source, Path(source.name)
            else:
                fail(source, ImageError(f"{source}: there is no such file or folder"))
            return
        list_folder = partial(
            list_images, recursive=recursive, on_error=fail, on_skipped=on_skipped
        )
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

    @contextmanager
    def read_path(self, source: Location) -> Iterator[Path]:
        """Yield the path of a file to read, valid inside the block."""
        yield Path(source)

    @contextmanager
    def write_path(self, target: Location, overwrite: bool) -> Iterator[Path]:
        """Yield the path to write an output to, in a folder that exists.

        What is written there is complete and in its place when the block ends, without replacing
        anything unless it may `overwrite`.
        """
        path = Path(target)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        yield path

    def remove_abandoned(self, targets: Iterable[Location]) -> None:
        """Remove the temporary files of killed processes where files are written."""
        for folder in {Path(target).parent for target in targets}:
            remove_abandoned(folder)


def has_suffix(name: PurePath) -> bool:
    """Whether a name has a suffix of a file: that of scan.2023 is none."""
    return re.fullmatch(r"\.[^\W\d]\w*", name.suffix) is not None


def _create(path: Path) -> None:
    open(path, "xb").close()


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


def _glob(folder: str, parts: list[str]) -> Iterator[str]:
    """As `glob.glob`, but ** enters no links, which may lead in circles."""
    if "**" not in parts:
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
