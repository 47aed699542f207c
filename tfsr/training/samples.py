"""Images in TensorBoard: the same ones after every epoch, so that progress can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsr.evaluation import Reduction, bicubic_upscale
from tfsr.images import read, resize
from tfsr.training.snapshot import Snapshot

_IMAGES = 3
# Of a large photograph, its middle is shown.
_MOST = 256


class Samples(keras.callbacks.Callback):
    """Shows LR, bicubic, SR and HR side by side, for the first validation images.

    Args:
        directory: of TensorBoard's files.
        paths: validation images.
        reductions: one strip of each image for each.
        snapshot: the model after the epoch.
    """

    def __init__(
        self,
        directory: Path,
        paths: Sequence[Path],
        reductions: Sequence[Reduction],
        snapshot: Snapshot,
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.directory = directory
        self.paths = paths[:_IMAGES]
        self.reductions = reductions

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the strips."""
        writer = tf.summary.create_file_writer(str(self.directory))
        with writer.as_default(step=epoch):
            for path in self.paths:
                for reduction in self.reductions:
                    image = strip(self.snapshot.upscale, read(path), reduction, path.name)
                    tf.summary.image(f"{path.stem}/{reduction.label}", image[None])
        writer.close()


def strip(upscale, original: np.ndarray, reduction: Reduction, name: str = "") -> np.ndarray:
    """LR (enlarged without smoothing), bicubic, SR and HR side by side, (H, 4 W, 3) uint8.

    Args:
        upscale: (h, w, 3) uint8 and (H, W) to (H, W, 3) uint8.
        original: (H, W, 3) uint8.
        reduction: how the LR image is made of it.
        name: of the original.
    """
    if reduction.scale is not None:
        # A reduction by a scale takes any shape; one to a size wants the whole, square image.
        top, left = (max(0, side - _MOST) // 2 for side in original.shape[:2])
        original = original[top : top + _MOST, left : left + _MOST]
    lr, hr = reduction(original, name)
    size = hr.shape[:2]
    images = [resize(lr, size, "nearest"), bicubic_upscale(lr, size), upscale(lr, size), hr]
    return np.concatenate(images, axis=1)
