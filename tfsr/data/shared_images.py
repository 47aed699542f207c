"""Decoded images in memory that several processes share."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import reduction
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.data.training_images import TrainingImages

Entries = Mapping[Path, tuple[int, int, int]]


class SharedImages(Mapping[Path, np.ndarray]):
    """Images by path, (H, W, 3) uint8 and read-only, in one block of memory.

    The block has no path, so nothing remains of it however its processes end. Pickled as an
    argument of a spawned process, it travels as a file descriptor.

    Args:
        file: holds the pixels.
        entries: offset, height and width of each image.
    """

    def __init__(self, file: Any, entries: Entries) -> None:
        self._file, self._entries = file, entries
        size = os.fstat(file.fileno()).st_size
        # An empty file cannot be mapped.
        self._pixels = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) if size else b""

    @classmethod
    def load(cls, images: TrainingImages, budget: int, threads: int) -> SharedImages:
        """Decode the first images that fit into a budget of bytes.

        Raises:
            ImageError: if an image is unusable and such images are not skipped.
        """
        file = _anonymous_file()
        entries: dict[Path, tuple[int, int, int]] = {}
        for path, image in _decoded(images, threads) if budget else ():
            end = file.tell()
            if end + image.nbytes > budget:
                break
            file.write(np.ascontiguousarray(image))
            entries[path] = (end, *image.shape[:2])
        file.flush()
        return cls(file, entries)

    def __getitem__(self, path: Path) -> np.ndarray:
        offset, height, width = self._entries[path]
        pixels = np.frombuffer(self._pixels, np.uint8, height * width * 3, offset)
        return pixels.reshape(height, width, 3)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> Any:
        return _attach, (reduction.DupFd(self._file.fileno()), self._entries)


def _decoded(images: TrainingImages, threads: int) -> Iterator[tuple[Path, np.ndarray]]:
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(images.paths), 16 * threads):
            paths = images.paths[start : start + 16 * threads]
            for path, image in zip(paths, pool.map(images.decode, paths), strict=True):
                if image is not None:
                    yield path, image


def _attach(handle: Any, entries: Entries) -> SharedImages:
    return SharedImages(open(handle.detach(), "rb"), entries)


def _anonymous_file() -> Any:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("tfsr-images"), "w+b")
    return tempfile.TemporaryFile()
