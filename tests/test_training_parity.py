"""One published training batch: the same gradients, and the same weights three steps later."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from checks import golden, golden_model, section

from tfsr.converters import load_published
from tfsr.losses import L1

NAME = "liif_edsr_small"


@pytest.fixture
def batch():
    arrays = golden("train_liif_edsr_small")
    inputs = {
        "image": 0.5 * arrays["input"] + 0.5,
        "coordinates": arrays["coord"],
        "cell": arrays["cell"],
    }
    return inputs, 0.5 * arrays["gt"] + 0.5


def model_of(weights):
    """A model that holds arrays of the published names: weights, or gradients of weights."""
    model = golden_model(NAME)
    load_published(model, weights)
    return model


def test_gradients_are_the_published_ones(batch):
    inputs, target = batch
    model = model_of(section(golden(NAME), "sd/"))
    with tf.GradientTape() as tape:
        # The published loss lives in [-1, 1], where every difference is twice ours.
        loss = 2 * L1()(target, model(inputs, training=True))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    expected = model_of(section(golden("train_liif_edsr_small"), "grad/"))
    for variable, found in zip(expected.trainable_variables, gradients, strict=True):
        published = variable.numpy()
        error = np.abs(found.numpy() - published).max()
        assert error <= 1e-4 * np.abs(published).max(), variable.path


def test_three_steps_of_adam_end_at_the_published_weights(batch):
    inputs, target = batch
    model = model_of(section(golden(NAME), "sd/"))
    # PyTorch adds its epsilon of 1e-8 after the bias correction, Keras before it; over the first
    # three steps 4e-10 comes nearest. Our gradients are half of theirs, and so is our epsilon.
    model.compile(optimizer=keras.optimizers.Adam(1e-4, epsilon=4e-10 / 2), loss=L1())
    model.fit(inputs, target, batch_size=len(target), epochs=3, shuffle=False, verbose=0)
    expected = model_of(section(golden("train_liif_edsr_small"), "after3/"))
    for found, variable in zip(model.weights, expected.weights, strict=True):
        error = np.abs(found.numpy() - variable.numpy()).max()
        assert error <= 1e-5, variable.path
