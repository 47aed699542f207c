"""Decoded images in memory that several processes read."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from multiprocessing import reduction
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.data.cores import available_cores
from tfsr.data.hr_images import Pictures


class SharedImages(Mapping[Path, np.ndarray]):
    """Images by path, each (H, W, 3) uint8 and read-only, in one block of memory.

    The block has no path, so nothing of it is left when its processes end, however they end. It
    travels to a spawned process as a file descriptor: pickle this object into its arguments.

    Args:
        descriptor: of the open file that holds the pixels; closed with this object.
        entries: the offset, height and width of each image.
    """

    def __init__(self, descriptor: int, entries: Mapping[Path, tuple[int, int, int]]) -> None:
        self._descriptor = descriptor
        self._entries = dict(entries)
        size = os.fstat(descriptor).st_size
        # An empty file cannot be mapped.
        self._pixels = mmap.mmap(descriptor, size, prot=mmap.PROT_READ) if size else b""

    @classmethod
    def load(cls, images: Pictures, budget: int) -> SharedImages:
        """Decode a folder's images by all cores, the first ones that fit into the budget.

        Args:
            images: where they are; says what happens to damaged ones.
            budget: bytes.

        Raises:
            ImageError: if one cannot be used, and such are not skipped.
        """
        descriptor = _anonymous_file()
        entries: dict[Path, tuple[int, int, int]] = {}
        end = 0
        threads = available_cores()
        pool = ThreadPoolExecutor(threads)
        paths = iter(images.paths if budget else ())
        # As many images are decoded ahead as keep all threads busy, and no more.
        pending = deque(
            (path, pool.submit(images.decode, path)) for path in islice(paths, 2 * threads)
        )
        try:
            while pending:
                path, future = pending.popleft()
                image = future.result()
                pending.extend(
                    (path, pool.submit(images.decode, path)) for path in islice(paths, 1)
                )
                if image is None:
                    continue
                if end + image.nbytes > budget:
                    break
                _write_all(descriptor, np.ascontiguousarray(image))
                entries[path] = (end, *image.shape[:2])
                end += image.nbytes
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return cls(descriptor, entries)

    def __getitem__(self, path: Path) -> np.ndarray:
        offset, height, width = self._entries[path]
        pixels = np.frombuffer(self._pixels, np.uint8, height * width * 3, offset)
        return pixels.reshape(height, width, 3)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[Path]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> Any:
        return _attach, (reduction.DupFd(self._descriptor), self._entries)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


def _attach(handle: Any, entries: Mapping[Path, tuple[int, int, int]]) -> SharedImages:
    return SharedImages(handle.detach(), entries)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("tfsr-images")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write_all(descriptor: int, image: np.ndarray) -> None:
    left = image.data.cast("B")
    while left:
        left = left[os.write(descriptor, left) :]
