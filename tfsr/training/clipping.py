"""Gradient clipping that several replicas agree about."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def clipped_across_replicas(optimizer_class: Any, clip_norm: float) -> Any:
    """The class of an optimizer that clips the gradient of the whole step under `tf.distribute`.

    Keras clips before it adds the replicas' gradients up: each replica's share is then held to the
    bound alone, and what comes out depends on how many they are. Here they are added first.

    Args:
        optimizer_class: of Keras or of this package.
        clip_norm: the longest that the gradient over all weights may be.
    """

    class Clipped(optimizer_class):
        def apply(self, grads: Any, trainable_variables: Any = None) -> None:
            """Update the variables, in a replica's context."""
            context = tf.distribute.get_replica_context()
            whole = context.all_reduce(tf.distribute.ReduceOp.SUM, list(grads))
            clipped, _ = tf.clip_by_global_norm(whole, clip_norm)
            # Keras adds the replicas' gradients up once more: each brings its equal share.
            super().apply([g / context.num_replicas_in_sync for g in clipped], trainable_variables)

    Clipped.__name__ = f"Clipped{optimizer_class.__name__}"
    return Clipped
