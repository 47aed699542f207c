"""The files of a batch by path or by URL."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PurePosixPath

from tfsr.cluster.stores import (
    asking,
    download,
    kind,
    normal,
    opened,
    upload,
)
from tfsr.errors import ImageError
from tfsr.images.files import OutputExists
from tfsr.images.formats import LISTED_SUFFIXES, OTHER_IMAGES, SUFFIXES
from tfsr.inference.job_files import Fail, JobFiles, Skip
from tfsr.inference.locations import Location, parse_location

# More than 400 megapixels without compression.
_MAX_BYTES = 4 * 2**30
_IMAGES = {*SUFFIXES, *OTHER_IMAGES}


class UrlFiles(JobFiles):
    """Files by path or by URL. A location that is a `str` is a URL.

    Files are copied to a temporary file before they are decoded, and from one after they are
    encoded. s3:// and gs:// take an output in one step; elsewhere it gets a temporary name first.

    Args:
        max_bytes: int. Of a file that is read. Defaults to 4 GiB.
        folder: of the temporary files; made if need be. Defaults to that of the system.

    Example:
        >>> files = tfsr.cluster.UrlFiles()
        >>> with files.write_path("memory://example/grey.png", overwrite=True) as path:
        ...     tfsr.images.write(path, np.full((4, 4, 3), 128, np.uint8))
        >>> with files.read_path("memory://example/grey.png") as path:
        ...     tfsr.images.read(path).shape
        (4, 4, 3)
    """

    def __init__(self, max_bytes: int = _MAX_BYTES, folder: Path | None = None) -> None:
        self.max_bytes, self.folder = max_bytes, folder

    def locate(self, text: str | os.PathLike[str]) -> Location:
        """Return the path of a text or of a file:// URL; another URL as it is.

        Raises:
            ClusterError: if nothing that is installed reads such URLs.
        """
        location = parse_location(text)
        if isinstance(location, str):
            opened(location)
        return location

    def exists(self, location: Location) -> bool:
        """Whether something has that name."""
        if isinstance(location, Path):
            return super().exists(location)
        return kind(location) is not None

    def known_to_exist(self, location: Location) -> bool:
        """As `exists`, of paths; a million URLs are asked for when their turn comes."""
        return isinstance(location, Path) and super().known_to_exist(location)

    def is_file(self, location: Location) -> bool:
        """Whether it is a file."""
        if isinstance(location, Path):
            return super().is_file(location)
        return kind(location) == "file"

    def is_folder(self, location: Location) -> bool:
        """Whether it is a folder, or what the names of files begin with."""
        if isinstance(location, Path):
            return super().is_folder(location)
        return location.endswith("/") or kind(location) == "directory"

    def parent(self, location: Location) -> Location:
        """Return the folder that a file lies in."""
        if isinstance(location, Path):
            return super().parent(location)
        return location.rpartition("/")[0]

    def join(self, folder: Location, name: PurePath) -> Location:
        """Return the location of a file in a folder."""
        if isinstance(folder, Path):
            return super().join(folder, name)
        return f"{folder.rstrip('/')}/{name.as_posix()}"

    def identity(self, location: Location) -> Hashable | None:
        """Return what is equal for all names of an existing path, and of a URL."""
        return super().identity(location) if isinstance(location, Path) else normal(location)

    def key(self, location: Location, folded: bool) -> str:
        """Return what is equal for the names of one file, which need not exist."""
        return super().key(location, folded) if isinstance(location, Path) else normal(location)

    def ignores_case(self, folder: Location) -> bool:
        """Whether names in a folder that differ in case alone are the same file."""
        return isinstance(folder, Path) and super().ignores_case(folder)

    def make_folder(self, location: Location) -> None:
        """Make a folder of paths; one of URLs exists when it has a file."""
        if isinstance(location, Path):
            super().make_folder(location)

    def find(
        self, source: Location, output: Location, recursive: bool, fail: Fail, on_skipped: Skip
    ) -> Iterator[tuple[Location, PurePath]]:
        """Yield the files of a source, each with its name in the output folder."""
        if isinstance(source, Path):
            yield from super().find(source, output, recursive, fail, on_skipped)
            return
        try:
            yield from self._find(source, output, recursive, fail, on_skipped)
        except ImageError as error:
            fail(source, error)

    def _find(
        self, source: str, output: Location, recursive: bool, fail: Fail, on_skipped: Skip
    ) -> Iterator[tuple[Location, PurePath]]:
        is_pattern = self.is_pattern(source)
        if is_pattern:
            base, found = _matches(source)
            none = "no file matches this pattern"
        elif self.is_folder(source):
            base, found = _listed(source, recursive)
            none = f"no image in it; it must contain {', '.join(LISTED_SUFFIXES)} files"
        elif self.exists(source):
            yield source, PurePosixPath(source.rpartition("/")[2])
            return
        else:
            raise ImageError(f"{source}: there is no such file or folder")
        written = "" if isinstance(output, Path) else normal(output).rstrip("/") + "/"
        nested = written.startswith(base + "/") and written != base + "/"
        for url, name in found:
            if ".." in name.parts:
                fail(url, ImageError(f"{url}: its name would lead out of the output folder"))
            elif name.suffix.lower() in OTHER_IMAGES and not is_pattern:
                on_skipped(url)
            elif not (nested and url.startswith(written)):
                yield url, name
        if not found:
            raise ImageError(f"{source}: {none}")

    @contextmanager
    def read_path(self, source: Location) -> Iterator[Path]:
        """Yield the path of a file to read, valid inside the block: of a URL, a copy."""
        if isinstance(source, Path):
            yield source
            return
        with self._copy_of(source) as path:
            download(source, path, self.max_bytes)
            with _renamed(path, source):
                yield path

    @contextmanager
    def write_path(self, target: Location, overwrite: bool) -> Iterator[Path]:
        """Yield the path to write an output to; of a URL, what is copied there afterwards."""
        if isinstance(target, Path):
            with super().write_path(target, overwrite) as path:
                yield path
            return
        with self._copy_of(target) as path:
            with _renamed(path, target):
                yield path
            try:
                upload(path, target, overwrite)
            except FileExistsError as error:
                raise OutputExists(f"{target}: exists since this began; it is unchanged") from error

    def remove_abandoned(self, targets: Iterable[Location]) -> None:
        """Remove the temporary files of killed processes where paths are written."""
        super().remove_abandoned(target for target in targets if isinstance(target, Path))

    @contextmanager
    def _copy_of(self, url: str) -> Iterator[Path]:
        """The path of a temporary file with the suffix of a URL."""
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tfsr-", dir=self.folder) as folder:
            yield Path(folder, "image" + PurePosixPath(url).suffix)


Found = list[tuple[str, PurePosixPath]]


def _listed(folder: str, recursive: bool) -> tuple[str, Found]:
    """A folder, and its images, read or not: URLs and names in the folder, in their order."""
    system, base = opened(folder)
    base = base.rstrip("/")
    with asking(folder, "cannot be listed"):
        names = sorted(system.find(base, maxdepth=None if recursive else 1))
    found = []
    for name in names:
        inner = PurePosixPath(name[len(base) :].lstrip("/"))
        hidden = any(part.startswith(".") and part != ".." for part in inner.parts)
        if not hidden and inner.suffix.lower() in _IMAGES:
            found.append((str(system.unstrip_protocol(name)), inner))
    return str(system.unstrip_protocol(base)), found


def _matches(pattern: str) -> tuple[str, Found]:
    """The deepest folder that holds all matches of a pattern, and these. ** keeps their folders."""
    system, text = opened(pattern)
    base = re.split(r"[*?[]", text, maxsplit=1)[0].rpartition("/")[0]
    with asking(pattern, "cannot be listed"):
        matches = system.glob(text, detail=True)
    found = []
    for name in sorted(name for name, info in matches.items() if info["type"] == "file"):
        inner = name[len(base) :].lstrip("/") if "**" in text else name.rpartition("/")[2]
        found.append((str(system.unstrip_protocol(name)), PurePosixPath(inner)))
    return str(system.unstrip_protocol(base)), found


@contextmanager
def _renamed(path: Path, url: str) -> Iterator[None]:
    """Errors of a file's copy name the file itself."""
    try:
        yield
    except ImageError as error:
        raise ImageError(str(error).replace(os.fspath(path), url)) from error
