"""Colour casts and grey images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.degradations import ranges
from tfsr.degradations.levels import float_levels, luma
from tfsr.degradations.ranges import Rng
from tfsr.degradations.step import SizeState, Step


@dataclass(frozen=True)
class Colour(Step, name="colour", main="shift"):
    """Add a constant to each channel: the cast of an old print, or a wrong white balance.

    Attributes:
        shift: the largest shift, up or down, in levels of 255.
    """

    shift: float = ranges.number_field(20.0, 0, 255)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample three shifts."""
        return {"shift": tuple(ranges.uniform(rng, (-self.shift, self.shift)) for _ in range(3))}

    @staticmethod
    def apply(image: np.ndarray, rng: Rng, *, shift: tuple[float, float, float]) -> np.ndarray:
        """Add the shifts of red, green and blue."""
        return np.clip(float_levels(image) + np.array(shift, np.float32), 0, 255)


@dataclass(frozen=True)
class Grey(Step, name="grey"):
    """Make the image grey: three equal channels of its luma (ITU-R BT.601)."""

    @staticmethod
    def apply(image: np.ndarray, rng: Rng) -> np.ndarray:
        """Repeat the luma in three channels."""
        return np.repeat(luma(image), 3, axis=-1)
