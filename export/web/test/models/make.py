"""Makes the tests' tiny models, 8x8 to 32x32.

By bilinear; the same with darker lower rows; and a linear decoder with random weights.
"""

from pathlib import Path

import keras
import tensorflow as tf

from tfsr import ImplicitSR
from tfsr.exporters import tflite

HERE = Path(__file__).parent


def make(path: Path, *, darken: bool) -> None:
    """Write a model.

    The factors that darken have three axes, of which LiteRT.js's WebGPU takes the first for the
    batch: it uses the first row's factor everywhere.
    """

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.float32, name="image")])
    def upscale(image):
        large = tf.image.resize(image, (32, 32), "bilinear")
        if darken:
            zero = tf.minimum(tf.square(tf.reshape(image[:, :1, :1, :1], (1, 1, 1))), 0.0)
            large *= tf.reshape(tf.linspace(1.0, 0.25, 32), (32, 1, 1)) + zero
        return {"output": tf.clip_by_value(large, 0.0, 1.0)}

    module = tf.Module()
    module.upscale = upscale
    functions = [upscale.get_concrete_function()]
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions(functions, module).convert())


def make_linear(path: Path) -> None:
    """Write an arasfsr-linear: an ensemble, global coordinates, a skip."""
    keras.utils.set_random_seed(0)
    encoder = {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0}
    decoder = {"name": "arasfsr-linear", "hidden": [8, 8], "functions": 4, "frequency": False}
    tflite(ImplicitSR(encoder, decoder), path, (8, 8), [(32, 32)], overwrite=True)


make(HERE / "simple" / "bilinear.tflite", darken=False)
make(HERE / "broadcast" / "darken.tflite", darken=True)
make_linear(HERE / "linear" / "linear.tflite")
