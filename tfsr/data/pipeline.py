"""The training stream as a tf.data pipeline."""

from __future__ import annotations

import tensorflow as tf

from tfsr.data.sampling import Sampler


def dataset(sampler: Sampler, start: int = 0) -> tf.data.Dataset:
    """The endless stream of a sampler's batches from step `start` on.

    Batches are made in parallel and delivered in order: a stream started at step n continues one
    that was stopped there.

    Args:
        sampler: where the batches come from.
        start: the first step.
    """
    inputs, colours = sampler.batch(start)
    names = list(inputs)
    shapes = [inputs[name].shape for name in names] + [colours.shape]

    def arrays(step):
        batch, colours = sampler.batch(int(step))
        return [*(batch[name] for name in names), colours]

    def load(step):
        values = tf.numpy_function(arrays, [step], [tf.float32] * len(shapes), stateful=False)
        for value, shape in zip(values, shapes, strict=True):
            value.set_shape(shape)
        return dict(zip(names, values[:-1], strict=True)), values[-1]

    steps = tf.data.Dataset.counter(start)
    stream = steps.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return stream.prefetch(2)
