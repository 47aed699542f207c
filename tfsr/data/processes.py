"""Training samples cut by worker processes.

They are spawned, not forked: TensorFlow and JAX have threads, which do not survive a fork. Each one
imports NumPy, Pillow and the sampling code, and no Keras.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tfsr.data.config import SamplingConfig
from tfsr.data.sampling import Batch, Sampler
from tfsr.data.shared_images import SharedImages
from tfsr.data.sources import ImageSet
from tfsr.errors import TfsrError, TrainingError

_Skipped = list[tuple[Path, str]]


class SampleProcesses:
    """A sampler's batches, cut by several processes: the same bits as its own.

    Images are decoded once, into memory that all processes share, as far as the sampler's cache
    budget goes; the rest is decoded each time it is drawn. Use as a context manager: at its end no
    process is left. They end by themselves if this process is killed. As all that spawns processes,
    a script that uses this needs `if __name__ == "__main__"`.

    Args:
        sampler: whose batches they are.
        processes: int. How many.

    Raises:
        ImageError: if an image cannot be decoded, and such are not skipped.

    Example:
        >>> with SampleProcesses(Sampler("faces/train", config), processes=4) as samples:
        ...     inputs, colours = samples.batch(step=0)
    """

    def __init__(self, sampler: Sampler, processes: int) -> None:
        self.sampler = sampler
        self.processes = processes
        arrays = sampler.images
        images = SharedImages.load(arrays, arrays.cache)
        self._pool = ProcessPoolExecutor(
            processes,
            multiprocessing.get_context("spawn"),
            _start,
            (
                sampler.sets,
                sampler.config,
                sampler.seed,
                dict(arrays.skipped) if arrays.skip_damaged else None,
                images,
            ),
        )

    def submit(self, step: int, part: int = 0, parts: int = 1) -> Future[tuple[Batch, _Skipped]]:
        """Have the batch of a step made; `finish` gives it.

        Raises:
            TrainingError: if a process has died.
        """
        # The call may start a process, which is not to hear of Ctrl-C before it can ignore it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(_batch, step, part, parts)
        except BrokenProcessPool as error:
            raise self._dead() from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def finish(self, future: Future[tuple[Batch, _Skipped]]) -> Batch:
        """Wait for a batch.

        Raises:
            ImageError: as `Sampler.batch`.
            TrainingError: if a process has died.
        """
        try:
            batch, skipped = future.result()
            for path, reason in skipped:
                self.sampler.images.leave_out(path, reason)
            return batch
        except BrokenProcessPool as error:
            raise self._dead() from error
        except TfsrError as error:
            self.sampler.failure = error
            raise

    def _dead(self) -> TrainingError:
        self.sampler.failure = error = TrainingError(
            "a process that cuts training samples has died (killed, out of memory, or started by a "
            "script without `if __name__ == '__main__'`); run the same command again: it resumes "
            "from the last checkpoint"
        )
        return error

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """The batch of a step; arguments, shapes and errors as of `Sampler.batch`."""
        return self.finish(self.submit(step, part, parts))

    def close(self) -> None:
        """End the processes and wait for them."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> SampleProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_sampler: Sampler
_told: set[Path] = set()


def _start(
    sets: Sequence[ImageSet],
    config: SamplingConfig,
    seed: int,
    skipped: dict[Path, str] | None,
    images: SharedImages,
) -> None:
    """Make this process one that cuts samples; `skipped` is None where damage is an error."""
    global _sampler
    # Ctrl-C is for the trainer, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _sampler = Sampler(sets, config, seed, skipped is not None, cache=0, decoded=images)
    _sampler.images.skipped.update(skipped or {})
    _told.update(skipped or {})


def _batch(step: int, part: int, parts: int) -> tuple[Batch, _Skipped]:
    batch = _sampler.batch(step, part, parts)
    skipped = [(path, why) for path, why in _sampler.images.skipped.items() if path not in _told]
    _told.update(path for path, _ in skipped)
    return batch, skipped


def _end_with_parent() -> None:
    """Wait for the trainer's end, which it may not have lived to announce."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
