"""PSNR of a run on whole images, measured with the model as it would be shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tfsr.backend import on_accelerator
from tfsr.evaluation import restoration_psnr
from tfsr.images import to_float, to_uint8
from tfsr.inference import ModelUpscaler
from tfsr.models import from_config
from tfsr.models.sub_pixel import SubPixelSR
from tfsr.training.distribution import Distribution
from tfsr.training.recipe import Recipe

# Images of one size that an accelerator restores together.
_BATCH = 16


class Snapshot:
    """A float32 copy of a trained model, updated after each epoch.

    It has the weights' moving average, if the recipe has one. The trained model, its precision and
    its devices are left alone, and functions of images are compiled once a run.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.model = from_config(recipe.model)
        self._upscaler = ModelUpscaler(self.model)
        self._is_new = False

    def update(self, model: keras.Model) -> None:
        """Copy the weights of a compiled model."""
        self.model.set_weights(averaged_weights(model))
        self._is_new = True

    def upscale(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Upscale an image, (h, w, 3) uint8, to (H, W, 3) uint8."""
        if self._is_new:
            # The upscaler caches what depends on image size and weights alone, until an image of
            # another size comes.
            self._upscaler(np.zeros((1, 1, 3), np.uint8), (1, 1))
            self._is_new = False
        return self._upscaler(image, size)

    def upscale_batch(self, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Upscale images, (B, h, w, 3) uint8, to (B, H, W, 3), as many at once as memory allows."""
        most = max(1, self._upscaler.renderer.lr_pixels // (images.shape[1] * images.shape[2]))
        if most == 1 or isinstance(self.model, SubPixelSR):
            return np.stack([self.upscale(image, size) for image in images])
        parts = [images[i : i + most] for i in range(0, len(images), most)]
        return np.concatenate(
            [to_uint8(self.model.upscale(to_float(part), size)) for part in parts]
        )


@dataclass
class Validator:
    """Measures a model on the validation images, which several workers share."""

    paths: Sequence[Path]
    recipe: Recipe
    distribution: Distribution
    snapshot: Snapshot  # updated by every measurement

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Return `val_psnr_REDUCTION` for each of the recipe's specs, and their mean."""
        self.snapshot.update(model)
        shard = self.paths[self.distribution.worker :: self.distribution.workers]
        specs = self.recipe.degradation_specs()
        protocol = self.recipe.validation.protocol
        batch = _BATCH if on_accelerator() else None
        upscale = self.snapshot.upscale_batch if batch else self.snapshot.upscale
        sums = [np.sum(restoration_psnr(upscale, shard, r, protocol, batch)) for r in specs]
        means = self.distribution.sum([np.array(sums)])[0] / len(self.paths)
        figures = {
            f"val_psnr_{spec.label}": float(mean) for spec, mean in zip(specs, means, strict=True)
        }
        return {**figures, "val_psnr": float(np.mean(means))}


def averaged_weights(model: keras.Model) -> list[np.ndarray]:
    """The moving average of a compiled model's weights, or the weights if it has none.

    The model's own are restored bit by bit. Keras' `SwapEMAWeights` exchanges the two by adding and
    subtracting, which rounds: a resumed run would differ.
    """
    weights = model.get_weights()
    if not model.optimizer.use_ema:
        return weights
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averages = model.get_weights()
    model.set_weights(weights)
    return averages
