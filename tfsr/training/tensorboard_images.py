"""Images in TensorBoard: the same ones after every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsr.evaluation import DegradationSpec
from tfsr.images import read, resize
from tfsr.training.validation import Snapshot

_IMAGES = 3
# Side of the part of a large photograph, its centre, that is shown.
_LARGEST = 256


@dataclass(eq=False)
class TensorBoardImages(keras.callbacks.Callback):
    """Shows LR, bicubic, SR and HR side by side, for the first validation images."""

    directory: Path  # of TensorBoard's files
    paths: Sequence[Path]
    specs: Sequence[DegradationSpec]
    snapshot: Snapshot  # the model after the epoch

    def __post_init__(self) -> None:
        super().__init__()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the comparisons."""
        writer = tf.summary.create_file_writer(str(self.directory))
        with writer.as_default(step=epoch):
            for path in self.paths[:_IMAGES]:
                for spec in self.specs:
                    image = self._comparison(read(path), spec, path.name)
                    tf.summary.image(f"{path.stem}/{spec.label}", image[None])
        writer.close()

    def _comparison(self, original: np.ndarray, spec: DegradationSpec, name: str) -> np.ndarray:
        """LR (nearest neighbour), bicubic, SR and HR side by side, (H, 4 W, 3) uint8."""
        if spec.scale is not None:
            # A spec by a scale takes any shape; one to a size, the whole square image.
            top, left = (max(0, side - _LARGEST) // 2 for side in original.shape[:2])
            original = original[top : top + _LARGEST, left : left + _LARGEST]
        lr, hr = spec(original, name)
        size = hr.shape[:2]
        sr = self.snapshot.upscale(lr, size)
        return np.concatenate([resize(lr, size, "nearest"), resize(lr, size), sr, hr], axis=1)
