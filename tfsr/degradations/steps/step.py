"""What a step is: a degradation with the ranges its parameters are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    happens,
    probability,
)

Size = tuple[int, int]
"""(height, width) in pixels."""

Box = tuple[float, float, float, float]
"""(top, left, bottom, right) in pixels, fractions allowed."""


@dataclass
class Canvas:
    """The sizes that a step's parameters may depend on.

    Attributes:
        original: (H, W) of the image that is degraded.
        lr: (h, w) of the LR image.
        box: region of the original that the LR image shows.
        current: (H, W) that the whole image has at this step.
        is_lr: whether the image has been cropped and resized to the LR image.
    """

    original: Size
    lr: Size
    box: Box
    current: Size
    is_lr: bool = False

    @property
    def scales(self) -> tuple[float, float]:
        """Pixels of the original in an LR pixel, by axis."""
        top, left, bottom, right = self.box
        return (bottom - top) / self.lr[0], (right - left) / self.lr[1]

    @property
    def scale(self) -> float:
        """The larger of the two scales."""
        return max(self.scales)

    @property
    def whole_lr(self) -> tuple[float, float]:
        """(h, w) of the whole image at the LR image's resolution."""
        if self.is_lr:
            return self.lr
        (height, width), (vertical, horizontal) = self.original, self.scales
        return height / vertical, width / horizontal

    @property
    def current_box(self) -> Box:
        """The region that the LR image shows, in pixels of the image at this step."""
        height, width = self.current
        if self.is_lr:
            return 0.0, 0.0, height, width
        vertical, horizontal = height / self.original[0], width / self.original[1]
        top, left, bottom, right = self.box
        return top * vertical, left * horizontal, bottom * vertical, right * horizontal


@dataclass(frozen=True)
class Step:
    """A degradation with ranges.

    Attributes:
        probability: of happening at all.
    """

    name: ClassVar[str] = ""
    main: ClassVar[str] = "probability"
    """The parameter that a value alone stands for: `jpeg: [30, 95]` is its quality."""

    probability: float = probability(1.0)

    def draw(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw whether it happens, and its parameters.

        Args:
            rng: what is drawn from; a step without randomness leaves it alone.
            canvas: the image's sizes; its `current` is updated.
        """
        return self.operations(rng, canvas) if happens(rng, self.probability) else []

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the parameters of a step that happens."""
        raise NotImplementedError
