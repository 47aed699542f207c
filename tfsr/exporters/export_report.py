"""The result of an export."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ExportReport:
    """An exported file or directory, compared with the Keras model.

    Attributes:
        path: the file or directory.
        bytes: its size.
        largest_difference: the largest of any colour of the compared images, in [0, 1].
        psnr_vs_model: PSNR of its outputs against the model's, in dB; infinite if equal.

    Example:
        >>> tfsr.exporters.ExportReport("x.tflite", 100, 0.0, float("inf")).bytes
        100
    """

    path: Path
    bytes: int
    largest_difference: float
    psnr_vs_model: float


def compare_arrays(found: list[np.ndarray], expected: list[np.ndarray]) -> tuple[float, float]:
    """Largest difference, and mean PSNR in dB, of images in [0, 1]; NaN disagrees."""
    largest, psnrs = 0.0, []
    for image, reference in zip(found, expected, strict=True):
        difference = np.abs(image.astype(np.float64) - reference)
        if not np.isfinite(difference).all():
            return math.inf, -math.inf
        largest = max(largest, float(difference.max()))
        mean = float(np.square(difference).mean())
        psnrs.append(-10 * math.log10(mean) if mean else math.inf)
    return largest, float(np.mean(psnrs))
