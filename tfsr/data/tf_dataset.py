"""Training batches as a tf.data pipeline."""

from __future__ import annotations

import tensorflow as tf

from tfsr.data.processes import SampleProcesses
from tfsr.data.sampler import Sampler


def dataset(
    samples: Sampler | SampleProcesses,
    start: int = 0,
    *,
    num_shards: int = 1,
    shards: range = range(1),
) -> tf.data.Dataset:
    """The endless stream of a sampler's batches from step `start` on.

    Batches are made in parallel and delivered in order: a stream that starts at step n continues
    one that was stopped there.

    Args:
        samples: where the batches come from.
        start: the first step.
        num_shards: replicas among which each batch is divided.
        shards: the shards in this stream, one after the other for each step.
    """
    inputs, colours = samples.batch(start, shards[0], num_shards)
    names = list(inputs)
    shapes = [inputs[name].shape for name in names] + [colours.shape]

    def arrays(count):
        step, index = divmod(int(count), len(shards))
        batch, colours = samples.batch(step, shards[index], num_shards)
        return [*(batch[name] for name in names), colours]

    def load(count):
        values = tf.numpy_function(arrays, [count], [tf.float32] * len(shapes), stateful=False)
        for value, shape in zip(values, shapes, strict=True):
            value.set_shape(shape)
        return dict(zip(names, values[:-1], strict=True)), values[-1]

    counts = tf.data.Dataset.counter(start * len(shards))
    # Calls wait for processes: one more call than processes occupies them all.
    calls = tf.data.AUTOTUNE if isinstance(samples, Sampler) else samples.processes + 1
    return counts.map(load, num_parallel_calls=calls, deterministic=True).prefetch(2)
