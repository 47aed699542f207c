"""An encoder of sides of multiples of four, for tests of what honours that."""

import keras
from keras import ops

from tfsr.encoders import Encoder


@keras.saving.register_keras_serializable("tests")
class BlockMeans(Encoder):
    """The means of blocks of 4x4 pixels, and the pixels."""

    channels, receptive_field, peak_channels, size_multiple = 6, 3, 12, 4

    def call(self, image):
        _, height, width, _ = ops.shape(image)
        means = ops.reshape(image, (-1, height // 4, 4, width // 4, 4, 3))
        means = ops.mean(means, axis=(2, 4), keepdims=True)
        means = ops.reshape(ops.tile(means, (1, 1, 4, 1, 4, 1)), (-1, height, width, 3))
        return ops.concatenate([image, means], axis=-1)
