"""The training stream as a Keras `PyDataset`, where there is no TensorFlow."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras

from tfsr.data.processes import SampleProcesses
from tfsr.data.sampling import Batch, Sampler


class StepDataset(keras.utils.PyDataset):
    """A sampler's batches from step `start` on, for any Keras backend.

    While a step is computed, the batches of the next ones are made: by one thread, or by the
    processes of `SampleProcesses`.

    Args:
        samples: where the batches come from.
        start: int. The first step.
        steps: int or None. How many steps `fit` may ask for in all; None: any number.
        part: int. Which part of each batch this process takes, from 0.
        parts: int. How many processes share a batch.
        **kwargs: of `keras.utils.PyDataset`.

    Example:
        >>> model.fit(StepDataset(Sampler("faces/train", config), start=0, steps=1000))
    """

    def __init__(
        self,
        samples: Sampler | SampleProcesses,
        start: int,
        steps: int | None,
        part: int = 0,
        parts: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.samples = samples
        self.start = start
        self.steps = steps
        self.part = part
        self.parts = parts
        self._thread = ThreadPoolExecutor(1)
        # Enough for every process to have a batch in hand and one to begin next.
        self._ahead = 2 if isinstance(samples, Sampler) else 2 * samples.processes
        self._pending: dict[int, Future[Any]] = {}

    @property
    def num_batches(self) -> int | None:
        """The number of steps."""
        return self.steps

    def __getitem__(self, index: int) -> Batch:
        wanted = range(index, index + self._ahead + 1)
        if self.steps is not None:
            wanted = range(index, min(wanted.stop, self.steps))
        self._pending = {i: future for i, future in self._pending.items() if i in wanted}
        for i in wanted:
            if i not in self._pending:
                self._pending[i] = self._submit(self.start + i)
        future = self._pending.pop(index)
        if isinstance(self.samples, Sampler):
            return future.result()
        return self.samples.finish(future)

    def _submit(self, step: int) -> Future[Any]:
        if isinstance(self.samples, Sampler):
            return self._thread.submit(self.samples.batch, step, self.part, self.parts)
        return self.samples.submit(step, self.part, self.parts)
