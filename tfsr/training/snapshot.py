"""The model of a run as it would be shipped after an epoch."""

from __future__ import annotations

import keras
import numpy as np

from tfsr.images import to_float, to_uint8
from tfsr.inference.upscaler import Upscaler
from tfsr.models import from_config
from tfsr.models.sub_pixel import SubPixelSR
from tfsr.training.recipe import Recipe


class Snapshot:
    """A float32 copy of a trained model, taken anew after each epoch.

    It has the weights' moving average, if the recipe keeps one. The trained model, its precision
    and its devices are left alone, and what is compiled for images is compiled once a run.

    Args:
        recipe: of the run.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.model = from_config(recipe.model)
        self._upscaler = Upscaler(self.model)
        self._is_new = False

    def take(self, model: keras.Model) -> None:
        """Copy the weights of a compiled model."""
        self.model.set_weights(averaged_weights(model))
        self._is_new = True

    def upscale(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 and (H, W) to (H, W, 3) uint8."""
        if self._is_new:
            # An upscaler keeps what depends on an image's size and the weights alone, until a
            # image of another size comes.
            self._upscaler(np.zeros((1, 1, 3), np.uint8), (1, 1))
            self._is_new = False
        return self._upscaler(image, size)

    def upscale_batch(self, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(B, h, w, 3) uint8 and (H, W) to (B, H, W, 3) uint8, as many together as memory takes."""
        most = max(1, self._upscaler.renderer.lr_pixels // (images.shape[1] * images.shape[2]))
        if most == 1 or isinstance(self.model, SubPixelSR):
            return np.stack([self.upscale(image, size) for image in images])
        parts = [images[i : i + most] for i in range(0, len(images), most)]
        return np.concatenate(
            [to_uint8(self.model.upscale(to_float(part), size)) for part in parts]
        )


def averaged_weights(model: keras.Model) -> list[np.ndarray]:
    """The moving average of a compiled model's weights, or the weights if it keeps none.

    The model's own come back bit by bit. Keras' `SwapEMAWeights` exchanges the two by adding and
    subtracting, which rounds: a run that was stopped would not be repeated exactly.
    """
    weights = model.get_weights()
    if not model.optimizer.use_ema:
        return weights
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averages = model.get_weights()
    model.set_weights(weights)
    return averages
