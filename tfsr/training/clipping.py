"""Gradient clipping that several replicas agree about."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class ClippedAdam(keras.optimizers.Adam):
    """Adam that clips the gradient of the whole step under `tf.distribute`.

    Keras clips before it adds the replicas' gradients up: each replica's share is then held to the
    bound alone, and what comes out depends on how many they are. Here they are added first.

    Args:
        clip_norm: the longest that the gradient over all weights may be.
        **arguments: of `keras.optimizers.Adam`.
    """

    def __init__(self, *, clip_norm: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.clip_norm = clip_norm

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Update the variables, in a replica's context."""
        context = tf.distribute.get_replica_context()
        whole = context.all_reduce(tf.distribute.ReduceOp.SUM, list(grads))
        clipped, _ = tf.clip_by_global_norm(whole, self.clip_norm)
        # Keras adds the replicas' gradients up once more: each brings its equal share.
        super().apply([g / context.num_replicas_in_sync for g in clipped], trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "clip_norm": self.clip_norm}
