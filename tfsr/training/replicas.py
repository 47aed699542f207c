"""What Keras' `fit` lacks under `tf.distribute`: clipping, and training on several workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def clip_across_replicas(gradients: Sequence[Any], clip_norm: float) -> list[Any]:
    """Clip the gradient of the whole step, in a replica's context.

    Keras clips each replica's share before it sums them, so that the result depends on the number
    of replicas. Here they are summed first.
    """
    context = tf.distribute.get_replica_context()
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
    clipped, _ = tf.clip_by_global_norm(total, clip_norm)
    # Keras sums the replicas' gradients once more: each brings an equal share.
    return [gradient / context.num_replicas_in_sync for gradient in clipped]


def trainable_across_workers(model_class: Any) -> Any:
    """Make the class of a model that `fit` can train on several workers.

    Keras 3.15 fails under `MultiWorkerMirroredStrategy` in two places, which are overridden.
    """

    class AcrossWorkers(model_class):
        def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
            # Keras cannot reduce the batch over the workers to build from it. One replica's part
            # has all that building needs.
            batch = next(next(iter(iterator))[-1])
            strategy = self.distribute_strategy
            part = keras.tree.map_structure(
                lambda x: strategy.experimental_local_results(x)[0], batch
            )
            with strategy.scope():
                self._symbolic_build(data_batch=part)

        def train_step(self, data: Any) -> dict[str, Any]:
            """Return metrics with the axis over which Keras takes the mean of the workers."""
            return {key: tf.expand_dims(x, 0) for key, x in super().train_step(data).items()}

    AcrossWorkers.__name__ = model_class.__name__
    return AcrossWorkers


def sum_over_workers(strategy: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Sum each array over all workers, all of which must call this with the same shapes."""
    replicas = len(strategy.extended.worker_devices)

    @tf.function
    def reduce(tensors):
        def per_replica():
            # Of a worker's replicas, only the first contributes.
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group % replicas == 0
            return [tf.where(first, x, tf.zeros_like(x)) for x in tensors]

        sums = strategy.run(per_replica)
        return [strategy.reduce(tf.distribute.ReduceOp.SUM, x, axis=None) for x in sums]

    return [x.numpy() for x in reduce([tf.convert_to_tensor(x) for x in arrays])]
