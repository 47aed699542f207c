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


class SharedImages(dict[Path, np.ndarray]):
    """Images by path, (H, W, 3) uint8 and read-only, in one block of memory.

    The block has no path, so nothing remains of it however its processes end. Pickled as an
    argument of a spawned process, it travels as a file descriptor.

    Args:
        file: contains the pixels.
        entries: offset, height and width of each image.
    """

    def __init__(self, file: Any, entries: Entries) -> None:
        self._file, self._entries = file, entries
        # An empty file cannot be mapped.
        memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if entries else b""
        for path, (offset, height, width) in entries.items():
            pixels = np.frombuffer(memory, np.uint8, height * width * 3, offset)
            self[path] = pixels.reshape(height, width, 3)

    @classmethod
    def load(cls, images: TrainingImages, budget: int, threads: int) -> SharedImages:
        """Decode the first images that fit into a budget of bytes; errors as of `decode`."""
        # In memory, or where that is not possible in a file without a name.
        in_memory = hasattr(os, "memfd_create")
        file: Any = (
            open(os.memfd_create("tfsr-images"), "w+b") if in_memory else tempfile.TemporaryFile()
        )
        entries: dict[Path, tuple[int, int, int]] = {}
        for path, image in _decoded(images, threads) if budget else ():
            offset = file.tell()
            if offset + image.nbytes > budget:
                break
            file.write(np.ascontiguousarray(image))
            entries[path] = (offset, *image.shape[:2])
        file.flush()
        return cls(file, entries)

    def __reduce__(self) -> Any:
        return _attach, (reduction.DupFd(self._file.fileno()), self._entries)


def _attach(handle: Any, entries: Entries) -> SharedImages:
    return SharedImages(open(handle.detach(), "rb"), entries)


def _decoded(images: TrainingImages, threads: int) -> Iterator[tuple[Path, np.ndarray]]:
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(images.paths), 16 * threads):
            paths = images.paths[start : start + 16 * threads]
            for path, image in zip(paths, pool.map(images.decode, paths), strict=True):
                if image is not None:
                    yield path, image
