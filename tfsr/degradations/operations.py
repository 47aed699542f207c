"""The degradations by name, and one of them with its parameters settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.degradations.blurring import blur, low_pass, sharpen
from tfsr.degradations.codecs import jpeg, webp
from tfsr.degradations.colour import colour_shift, greyscale
from tfsr.degradations.image_noise import gaussian_noise, poisson_noise, speckle_noise
from tfsr.degradations.rescaling import rescale

DEGRADATIONS: dict[str, Callable[..., np.ndarray]] = {
    "blur": blur,
    "sinc": low_pass,
    "resize": rescale,
    "noise": gaussian_noise,
    "poisson": poisson_noise,
    "speckle": speckle_noise,
    "jpeg": jpeg,
    "webp": webp,
    "colour": colour_shift,
    "grey": greyscale,
    "sharpen": sharpen,
}
"""Functions of (image, rng, parameters): (H, W, 3) levels, uint8 or float32, to the same."""

RANDOM = frozenset({"noise", "poisson", "speckle"})
"""Those that draw from `rng` themselves."""


@dataclass(frozen=True)
class Operation:
    """A degradation whose parameters have been drawn.

    Attributes:
        name: a key of `DEGRADATIONS`.
        parameters: its keyword arguments, plain data.

    Example:
        >>> import numpy as np
        >>> from tfsr.degradations import Operation
        >>> operation = Operation("jpeg", {"quality": 40})
        >>> image = np.zeros((16, 16, 3), np.uint8)
        >>> operation(image, np.random.default_rng(0)).shape
        (16, 16, 3)
    """

    name: str
    parameters: Mapping[str, Any]

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Degrade an image."""
        return DEGRADATIONS[self.name](image, rng, **self.parameters)

    def __str__(self) -> str:
        values = ", ".join(f"{key} {_short(x)}" for key, x in self.parameters.items())
        return f"{self.name} {values}".strip()


def _short(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(_short(x) for x in value) + ")"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
