"""PSNR on whole images along the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tfsr.backend import on_accelerator
from tfsr.evaluation import restoration_psnr
from tfsr.training.distribution import Distribution
from tfsr.training.recipe import Recipe
from tfsr.training.snapshot import Snapshot

# Images of one size that an accelerator restores together.
_BATCH = 16


class Validation:
    """Measures a model as it would be shipped.

    Args:
        paths: validation images; several workers share them.
        recipe: says how they are reduced, and the protocol.
        distribution: where the run is computed.
        snapshot: taken anew by every measurement, for what else looks at the model then.
    """

    def __init__(
        self, paths: Sequence[Path], recipe: Recipe, distribution: Distribution, snapshot: Snapshot
    ) -> None:
        self.paths = paths
        self.recipe = recipe
        self.distribution = distribution
        self.snapshot = snapshot

    def measure(self, model: keras.Model) -> dict[str, float]:
        """`val_psnr_REDUCTION` for each of the recipe's reductions, and their mean `val_psnr`."""
        self.snapshot.take(model)
        mine = self.paths[self.distribution.worker :: self.distribution.workers]
        reductions = self.recipe.reductions()
        protocol = self.recipe.validation.protocol
        together = on_accelerator()
        upscale = self.snapshot.upscale_batch if together else self.snapshot.upscale
        batch = _BATCH if together else None
        sums = [
            np.sum(restoration_psnr(upscale, mine, reduction, protocol, batch))
            for reduction in reductions
        ]
        means = self.distribution.sum(np.array(sums)) / len(self.paths)
        figures = {
            f"val_psnr_{reduction.label}": float(mean)
            for reduction, mean in zip(reductions, means, strict=True)
        }
        return {**figures, "val_psnr": float(np.mean(means))}
