"""The training stream as a tf.data pipeline."""

from __future__ import annotations

import tensorflow as tf

from tfsr.data.processes import SampleProcesses
from tfsr.data.sampling import Sampler


def dataset(
    samples: Sampler | SampleProcesses,
    start: int = 0,
    *,
    parts: int = 1,
    mine: range = range(1),
) -> tf.data.Dataset:
    """The endless stream of a sampler's batches from step `start` on.

    Batches are made in parallel and delivered in order: a stream started at step n continues one
    that was stopped there. Where several replicas share a batch, this is what some of them take:
    their parts of the first step one after the other, then those of the next.

    Args:
        samples: where the batches come from.
        start: the first step.
        parts: replicas among which each batch is divided.
        mine: which of the parts the stream is to hold.
    """
    inputs, colours = samples.batch(start, mine[0], parts)
    names = list(inputs)
    shapes = [inputs[name].shape for name in names] + [colours.shape]

    def arrays(count):
        step, part = divmod(int(count), len(mine))
        batch, colours = samples.batch(step, mine[part], parts)
        return [*(batch[name] for name in names), colours]

    def load(count):
        values = tf.numpy_function(arrays, [count], [tf.float32] * len(shapes), stateful=False)
        for value, shape in zip(values, shapes, strict=True):
            value.set_shape(shape)
        return dict(zip(names, values[:-1], strict=True)), values[-1]

    counts = tf.data.Dataset.counter(start * len(mine))
    # With processes, calls wait for them: one more than they are keeps them all busy.
    calls = tf.data.AUTOTUNE if isinstance(samples, Sampler) else samples.processes + 1
    stream = counts.map(load, num_parallel_calls=calls, deterministic=True)
    return stream.prefetch(2)
