"""Train a recipe: python strategies.py RECIPE DEVICES OPTIMIZER:STRATEGY=DIRECTORY ...

OPTIMIZER is "sgd", or "own" for the recipe's: Adam does not see a gradient that is too long or too
short by a factor; SGD does. DEVICES is how many logical CPU devices there are to be.
"""

import sys

import keras
import tensorflow as tf

from tfsr.errors import TfsrError
from tfsr.training import compilation, trainer
from tfsr.training.optimizer import LearningRate, cosine_span


def main(recipe, devices, *runs):
    cpu = tf.config.list_physical_devices("CPU")[0]
    if int(devices) > 1:
        logical = [tf.config.LogicalDeviceConfiguration()] * int(devices)
        tf.config.set_logical_device_configuration(cpu, logical)
    own = compilation.make_optimizer
    for run in runs:
        optimizer, strategy, directory = run.replace("=", ":", 1).split(":", 2)
        compilation.make_optimizer = plain_sgd if optimizer == "sgd" else own
        trainer.train(recipe, directory, strategy=strategy)


def plain_sgd(training, distribution):
    optimizer = keras.optimizers.SGD(0.3)
    # The trainer sets its span, which SGD ignores.
    optimizer.schedule = LearningRate(training.learning_rate, *cosine_span(training))
    optimizer.schedule.attach(optimizer)
    return optimizer


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except TfsrError as error:
        sys.exit(f"{type(error).__name__}: {error}")
