"""Train a recipe, killed at some steps and begun again: python lives.py RECIPE DIRECTORY STEP ...

Every life is a process of its own. It runs the same command, is killed with signal 9 as soon as it
has done the next of the steps, and leaves what it leaves. The last one is let finish.
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


def live(recipe, directory, step):
    """One life, in this process."""
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
        live(sys.argv[1], sys.argv[2], step)
    _, status = os.waitpid(child, 0)
    expected = signal.SIGKILL if step is not None else 0
    if os.waitstatus_to_exitcode(status) != -expected:
        sys.exit(f"the life that was to end at step {step} ended with status {status}")
