"""The images of training folders: checked, decoded, cached, damaged ones skipped or refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from tfsr.data.sampling_config import SamplingConfig
from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import read
from tfsr.images.files import read_header

DEFAULT_CACHE = 2 * 2**30


class TrainingImages:
    """Reads images, and caches the first ones that fit into a budget.

    Args:
        configs: the images, and the configurations for which each must be large enough.
        skip_damaged: whether unusable images are skipped and reported instead of an error.
        report: called with a line for each skipped image, perhaps from another thread.
        cache: bytes for decoded images. Defaults to 2 GiB.
        decoded: images that are in memory already, such as `SharedImages`.
    """

    def __init__(
        self,
        configs: Mapping[Path, Sequence[SamplingConfig]],
        skip_damaged: bool = False,
        report: Callable[[str], None] = lambda line: None,
        cache: int = DEFAULT_CACHE,
        decoded: Mapping[Path, np.ndarray] | None = None,
    ) -> None:
        self.paths = list(configs)
        self.skip_damaged, self.cache = skip_damaged, cache
        self.skipped: dict[Path, str] = {}
        """The images skipped so far, and why."""
        self._configs, self._report = configs, report
        self._cached = dict(decoded or {})
        self._bytes = 0
        self._lock = Lock()

    def read(self, path: Path) -> np.ndarray | None:
        """Return an image, (H, W, 3) uint8, or None if it is skipped.

        Raises:
            ImageError: if it is unusable and such images are not skipped.
        """
        if path in self._cached:
            return self._cached[path]
        image = None if path in self.skipped else self.decode(path)
        if image is not None:
            with self._lock:
                if path not in self._cached and self._bytes + image.nbytes <= self.cache:
                    self._cached[path] = image
                    self._bytes += image.nbytes
        return image

    def decode(self, path: Path) -> np.ndarray | None:
        """Read an image from its file, without the cache; otherwise as `read`."""
        try:
            image = read(path)
            self._check(path, image.shape[:2])
        except ImageError as error:
            self.skip(path, str(error))
            return None
        return image

    def check(self) -> None:
        """Check every image's header, so that unusable images are found before training.

        Raises:
            ImageError: for the first unusable image unless such are skipped, or if none is left.
        """
        for path in self.paths:
            try:
                self._check(path, read_header(path).size)
            except ImageError as error:
                self.skip(path, str(error))
        if len(self.skipped) == len(self.paths):
            raise ImageError(f"{self.paths[0].parent}: none of its images can be used")

    def _check(self, path: Path, size: tuple[int, ...]) -> None:
        try:
            for config in self._configs[path]:
                config.check_image(*size)
        except InvalidArgument as error:
            raise ImageError(f"{path}: {error}") from error

    def skip(self, path: Path, reason: str) -> None:
        """Skip an image from now on and report it once; an ImageError unless images are skipped."""
        if not self.skip_damaged:
            raise ImageError(reason)
        with self._lock:
            if path in self.skipped:
                return
            self.skipped[path] = reason
            count = len(self.skipped)
        self._report(f"{reason}; skipped, {count} of {len(self.paths)} images so far")


def fingerprint(paths: Sequence[Path]) -> str:
    """Digest of the files' names, sizes and order."""
    listing = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
    return hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()
