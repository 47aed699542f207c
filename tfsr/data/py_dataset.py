"""Training batches as a Keras `PyDataset`, for backends other than TensorFlow."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras

from tfsr.data.processes import SampleProcesses
from tfsr.data.sampler import Batch, Sampler


class StepDataset(keras.utils.PyDataset):
    """A sampler's batches from step `start` on, made ahead of the training step.

    Args:
        samples: where the batches come from.
        start: int. The first step.
        steps: int or None. Number of steps; None is endless.
        shard: int. The shard of each batch for this process, from 0.
        num_shards: int. Processes that share a batch.
        **kwargs: of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        samples: Sampler | SampleProcesses,
        start: int,
        steps: int | None,
        shard: int = 0,
        num_shards: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.samples, self.start, self.steps = samples, start, steps
        self.shard, self.num_shards = shard, num_shards
        # Threads wait for processes: two for each give it a batch in work and the next one.
        threads = 1 if isinstance(samples, Sampler) else 2 * samples.processes
        self._threads = ThreadPoolExecutor(threads)
        self._ahead = max(2, threads)
        self._pending: dict[int, Future[Batch]] = {}

    @property
    def num_batches(self) -> int | None:
        """The number of steps."""
        return self.steps

    def __getitem__(self, index: int) -> Batch:
        stop = index + self._ahead + 1
        wanted = range(index, stop if self.steps is None else min(stop, self.steps))
        # Keras reads the first batches and then starts again: what is pending may be reused.
        self._pending = {
            i: self._pending.get(i)
            or self._threads.submit(self.samples.batch, self.start + i, self.shard, self.num_shards)
            for i in wanted
        }
        return self._pending.pop(index).result()
