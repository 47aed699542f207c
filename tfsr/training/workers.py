"""What several worker processes need so that Keras' `fit` runs in them.

Keras 3.15 fails under `MultiWorkerMirroredStrategy` in two places. `AcrossWorkers` goes round both
by methods that it may override, and leaves the rest to Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class AcrossWorkers:
    """Mixed into a model's class, before `keras.Model`."""

    distribute_strategy: Any
    _symbolic_build: Any

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras would reduce the batch over the workers to build from it, and cannot. The part of
        # one replica has all that building looks at.
        batch = next(next(iter(iterator))[-1])
        part = keras.tree.map_structure(
            lambda x: self.distribute_strategy.experimental_local_results(x)[0], batch
        )
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=part)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one replica's part; answers each metric as an array of one.

        Keras takes the mean over the workers along axis 0, which a number does not have.
        """
        metrics = super().train_step(data)  # type: ignore[misc]
        return {name: tf.expand_dims(value, 0) for name, value in metrics.items()}


def across_workers(model_class: Any) -> Any:
    """The class of a model that `fit` can train on several workers."""
    return type(model_class.__name__, (AcrossWorkers, model_class), {})


def total(strategy: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The sums over all workers of each one's arrays; all must call it, with the same shapes."""
    replicas = len(strategy.extended.worker_devices)

    @tf.function
    def reduce(tensors):
        def mine():
            # Of a worker's replicas, the first speaks for it.
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group % replicas == 0
            return [tf.where(first, x, tf.zeros_like(x)) for x in tensors]

        sums = strategy.run(mine)
        return [strategy.reduce(tf.distribute.ReduceOp.SUM, x, axis=None) for x in sums]

    return [x.numpy() for x in reduce([tf.convert_to_tensor(x) for x in arrays])]
