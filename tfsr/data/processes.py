"""Training samples made by worker processes.

They are spawned, not forked: the threads of TensorFlow and JAX do not survive a fork. Each imports
NumPy, Pillow and the sampling code, and no Keras.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tfsr.data.sampler import Batch, Sampler
from tfsr.data.shared_images import SharedImages
from tfsr.errors import TfsrError, TrainingError


class SampleProcesses:
    """A sampler's batches, made by several processes: the same bits as the sampler's own.

    A context manager: `with SampleProcesses(sampler, processes=4) as samples:`, in a script under
    `if __name__ == "__main__"`. The processes also end by themselves if this process is killed.
    Images are decoded once into shared memory, up to the sampler's cache budget; the others are
    decoded for each sample. `batch` may be called from several threads.
    """

    def __init__(self, sampler: Sampler, processes: int) -> None:
        self.sampler, self.processes = sampler, processes
        images = sampler.images
        shared = SharedImages.load(images, images.cache, available_cores())
        skipped = dict(images.skipped) if images.skip_damaged else None
        self._pool = ProcessPoolExecutor(
            processes,
            multiprocessing.get_context("spawn"),
            _start,
            (sampler.sets, sampler.config, sampler.seed, skipped, shared),
        )

    def batch(self, step: int, shard: int = 0, num_shards: int = 1) -> Batch:
        """As `Sampler.batch`, and a TrainingError if a process has died."""
        try:
            # A process that starts here must not receive Ctrl-C before it ignores it.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                future = self._pool.submit(_batch, step, shard, num_shards)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            batch, skipped = future.result()
            for path, reason in skipped.items():
                self.sampler.images.skip(path, reason)
            return batch
        except BrokenProcessPool as error:
            self.sampler.failure = TrainingError(
                "a process that makes training samples died (killed, out of memory, or started by "
                "a script without `if __name__ == '__main__'`); run the same command again: it "
                "resumes from the last checkpoint"
            )
            raise self.sampler.failure from error
        except TfsrError as error:
            self.sampler.failure = error
            raise

    def __enter__(self) -> SampleProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def available_cores() -> int:
    """CPU cores that this process may use: those of its container, not of its machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# In a worker process: its sampler, and how many images were skipped when it started.
_sampler: Sampler
_known = 0


def _start(sets, config, seed, skipped: dict[Path, str] | None, images: SharedImages) -> None:
    """Initialize a worker; `skipped` is None where a damaged image is an error."""
    global _sampler, _known
    # Ctrl-C is for the trainer, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _sampler = Sampler(sets, config, seed, skipped is not None, cache=0, decoded=images)
    _sampler.images.skipped.update(skipped or {})
    _known = len(_sampler.images.skipped)


def _batch(step: int, shard: int, num_shards: int) -> tuple[Batch, dict[Path, str]]:
    batch = _sampler.batch(step, shard, num_shards)
    return batch, dict([*_sampler.images.skipped.items()][_known:])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
