"""Latent noise as a function of seed and step, so that a run that goes on draws what it would have.

Keras does not save the state of its random generators with the weights. It is a seed and a count,
and a training step draws once from each generator: the step says what the count is.
"""

from __future__ import annotations

import keras
import numpy as np

from tfsr.training.distribution import Distribution


class SeedCallback(keras.callbacks.Callback):
    """Sets the random generators of a model where `fit` begins.

    Args:
        seed: of the run.
        step: the first step that `fit` will do.
        distribution: each replica draws noise of its own.
    """

    def __init__(self, seed: int, step: int, distribution: Distribution) -> None:
        super().__init__()
        self.seed = seed
        self.step = step
        self.distribution = distribution

    def on_train_begin(self, logs: object = None) -> None:
        """Set every generator. `fit` has built the model by now, and drawn nothing yet."""
        states = [v for v in self.model.variables if v.path.endswith("seed_generator_state")]
        for generator, state in enumerate(states):
            values = np.array(
                [self._state(generator, replica) for replica in range(self.distribution.replicas)]
            )
            strategy = self.distribution.strategy
            if strategy is None:
                state.assign(values[0])
            else:
                _assign_each(strategy, state.value, values)

    def _state(self, generator: int, replica: int) -> tuple[int, int]:
        mixed = np.random.SeedSequence([self.seed, generator, replica]).generate_state(1)[0]
        return int(mixed) % 2**31, self.step


def _assign_each(strategy, variable, values: np.ndarray) -> None:
    """Give each replica's copy of a variable its own value."""
    import tensorflow as tf

    def assign():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        variable.assign(tf.gather(tf.cast(values, variable.dtype), replica))

    strategy.run(tf.function(assign))
