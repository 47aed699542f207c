"""Steps that compress an image, and that change its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tfsr.degradations.codecs import SUBSAMPLING
from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    Range,
    happens,
    integer,
    number,
    probability,
    span,
    uniform,
)
from tfsr.degradations.steps.step import Canvas, Step


@dataclass(frozen=True)
class Jpeg(Step):
    """Encode as JPEG.

    Attributes:
        quality: on libjpeg's scale, 1 to 100.
        full_colour: probability of 4:4:4 instead of 4:2:0.
    """

    name: ClassVar[str] = "jpeg"
    main: ClassVar[str] = "quality"

    quality: Range = span((30, 95), 1, 100, whole=True)
    full_colour: float = probability(0.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the quality and the subsampling of colours."""
        parameters = {"quality": integer(rng, self.quality)}
        subsampling = SUBSAMPLING[happens(rng, self.full_colour)]
        return [Operation("jpeg", {**parameters, "subsampling": subsampling})]


@dataclass(frozen=True)
class Webp(Step):
    """Encode as lossy WebP.

    Attributes:
        quality: on libwebp's scale, 1 to 100.
    """

    name: ClassVar[str] = "webp"
    main: ClassVar[str] = "quality"

    quality: Range = span((30, 95), 1, 100, whole=True)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the quality."""
        return [Operation("webp", {"quality": integer(rng, self.quality)})]


@dataclass(frozen=True)
class Colour(Step):
    """Shift each channel by a constant.

    Attributes:
        shift: the largest shift, up or down, in levels of 255.
    """

    name: ClassVar[str] = "colour"
    main: ClassVar[str] = "shift"

    shift: float = number(20.0, 0, 255)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw three shifts."""
        ends = (-self.shift, self.shift)
        return [Operation("colour", {"shift": tuple(uniform(rng, ends) for _ in range(3))})]


@dataclass(frozen=True)
class Grey(Step):
    """Make the image grey."""

    name: ClassVar[str] = "grey"

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """There is nothing to draw."""
        return [Operation("grey", {})]
