"""The training stream as a Keras `PyDataset`, where there is no TensorFlow."""

from __future__ import annotations

from typing import Any

import keras

from tfsr.data.sampling import Batch, Sampler


class StepDataset(keras.utils.PyDataset):
    """A sampler's batches from step `start` on, for any Keras backend.

    Args:
        sampler: where the batches come from.
        start: int. The first step.
        steps: int. How many steps `fit` will ask for in all.
        part: int. Which part of each batch this process takes, from 0.
        parts: int. How many processes share a batch.
        **kwargs: `workers`, `max_queue_size` and the other arguments of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        sampler: Sampler,
        start: int,
        steps: int,
        part: int = 0,
        parts: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sampler = sampler
        self.start = start
        self.steps = steps
        self.part = part
        self.parts = parts

    @property
    def num_batches(self) -> int:
        """The number of steps."""
        return self.steps

    def __getitem__(self, index: int) -> Batch:
        return self.sampler.batch(self.start + index, self.part, self.parts)
