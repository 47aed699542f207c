"""Train a recipe, killed at some steps and resumed: python killed_runs.py RECIPE DIRECTORY STEP ...

Every attempt is a process of its own, which is killed with signal 9 as soon as it has done the next
of the steps. The last one is not killed.
"""

import os
import signal
import sys

import keras
import tensorflow as tf  # noqa: F401  (imported once, before the processes part)

from tfsr.cli import main


class Killed(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def attempt(recipe, directory, step):
    """Train in this process, which is killed after a step, if one is given."""
    fit = keras.Model.fit
    if step is not None:
        keras.Model.fit = lambda self, *arguments, callbacks, **others: fit(
            self, *arguments, callbacks=[*callbacks, Killed(step)], **others
        )
    sys.argv = ["tfsr", "train", recipe, "-o", directory]
    main()


for step in [*map(int, sys.argv[3:]), None]:
    child = os.fork()
    if child == 0:
        attempt(sys.argv[1], sys.argv[2], step)
    _, status = os.waitpid(child, 0)
    expected = signal.SIGKILL if step is not None else 0
    if os.waitstatus_to_exitcode(status) != -expected:
        sys.exit(f"the process to be killed at step {step} ended with status {status}")
