"""The images of a training folder: looked over once, read many times, damaged ones counted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import files

# Decoded images are kept in memory up to this many bytes: a small set is then read only once.
DEFAULT_CACHE = 2 * 2**30


class Pictures:
    """Reads images, and keeps those used last.

    Args:
        paths: the images.
        fits: called with the path, height and width of one; raises InvalidArgument if it is of no
            use.
        skip_damaged: whether an image that cannot be used is left out, named and counted, instead
            of being an error.
        report: called with a line for each image left out; perhaps from another thread.
        cache: bytes of decoded images kept. Defaults to 2 GiB.
        decoded: images that are in memory already, such as `SharedImages`.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        fits: Callable[[Path, int, int], None],
        skip_damaged: bool = False,
        report: Callable[[str], None] = lambda line: None,
        cache: int = DEFAULT_CACHE,
        decoded: Mapping[Path, np.ndarray] | None = None,
    ) -> None:
        self.paths = list(paths)
        self.fits = fits
        self.skip_damaged = skip_damaged
        self.skipped: dict[Path, str] = {}
        """The images left out so far, and why."""
        self.cache = cache
        self.decoded = decoded or {}
        self._report = report
        self._bytes = 0
        self._kept: OrderedDict[Path, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path) -> np.ndarray | None:
        """An image, (H, W, 3) uint8; None if it is left out.

        Raises:
            ImageError: if it cannot be used, and such are not left out.
        """
        if path in self.decoded:
            return self.decoded[path]
        with self._lock:
            if path in self.skipped:
                return None
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        image = self.decode(path)
        if image is None:
            return None
        with self._lock:
            if path not in self._kept:
                self._kept[path] = image
                self._bytes += image.nbytes
            while self._bytes > self.cache:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return image

    def decode(self, path: Path) -> np.ndarray | None:
        """Read an image from its file, past the cache; results and errors as of `read`."""
        try:
            image = files.read(path)
            self._check(path, *image.shape[:2])
        except ImageError as error:
            self.leave_out(path, str(error))
            return None
        return image

    def check(self) -> None:
        """Look at every image's header, so that what does not fit is told before training.

        Raises:
            ImageError: naming the first image that cannot be used, unless such are left out; and
                if none is left.
        """
        for path in self.paths:
            try:
                self._check(path, *_size(path))
            except ImageError as error:
                self.leave_out(path, str(error))
        if len(self.skipped) == len(self.paths):
            raise ImageError(f"{self.paths[0].parent}: none of its images can be used")

    def _check(self, path: Path, height: int, width: int) -> None:
        try:
            self.fits(path, height, width)
        except InvalidArgument as error:
            raise ImageError(f"{path}: {error}") from error

    def leave_out(self, path: Path, reason: str) -> None:
        """Skip an image from now on, and report it the first time.

        Raises:
            ImageError: with the reason, if images are not to be skipped.
        """
        if not self.skip_damaged:
            raise ImageError(reason)
        with self._lock:
            if path in self.skipped:
                return
            self.skipped[path] = reason
            count = len(self.skipped)
        self._report(f"{reason}; skipped, {count} of {len(self.paths)} images so far")


def _size(path: Path) -> tuple[int, int]:
    """Height and width as the header has them; turning an image upright may exchange the two."""
    try:
        with Image.open(path, formats=tuple(files.FORMATS)) as image:
            width, height = image.size
        return height, width
    except Exception:
        # What stands in its way is told by the one function that knows how to.
        return files.read(path).shape[:2]


def fingerprint(paths: Sequence[Path]) -> str:
    """Changes with the names and sizes of the files, and so with the order they are used in."""
    listing = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
    return hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()
