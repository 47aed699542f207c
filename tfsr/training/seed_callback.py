"""Latent noise as a function of seed and step, so that a resumed run repeats it."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from tfsr.training.distribution import Distribution


@dataclass(eq=False)
class SeedCallback(keras.callbacks.Callback):
    """Sets a model's random generators when `fit` begins.

    Keras does not save the state of its generators, a seed and a count. Each training step uses
    each generator once, so the count is the step.
    """

    seed: int  # of the run
    step: int  # the first step of `fit`
    distribution: Distribution  # each replica has its own noise

    def __post_init__(self) -> None:
        super().__init__()

    def on_train_begin(self, logs: object = None) -> None:
        """Set every generator. `fit` has built the model by now, and used none yet."""
        states = [v for v in self.model.variables if v.path.endswith("seed_generator_state")]
        for generator, state in enumerate(states):
            values = [self._state(generator, i) for i in range(self.distribution.replicas)]
            if self.distribution.strategy is None:
                state.assign(values[0])
            else:
                _assign_each(self.distribution.strategy, state.value, np.array(values))

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
