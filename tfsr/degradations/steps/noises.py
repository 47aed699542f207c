"""Steps that add noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    Range,
    happens,
    pick_weighted,
    probability,
    span,
    uniform,
)
from tfsr.degradations.steps.step import Canvas, Step
from tfsr.errors import InvalidArgument


@dataclass(frozen=True)
class Noise(Step):
    """Add Gaussian noise.

    Attributes:
        sigma: standard deviation in levels of 255.
        grey: probability of one noise for all channels.
        correlated: probability of noise that is correlated between the channels, by a covariance
            drawn as in BSRGAN; the rest is independent.
    """

    name: ClassVar[str] = "noise"
    main: ClassVar[str] = "sigma"

    sigma: Range = span((0.0, 15.0), 0, 255)
    grey: float = probability(0.0)
    correlated: float = probability(0.0)

    def __post_init__(self) -> None:
        if self.grey + self.correlated > 1:
            raise InvalidArgument(
                f"{self.name}.grey and {self.name}.correlated must not exceed 1 together; received "
                f"{self.grey} and {self.correlated}"
            )

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength and the kind."""
        parameters: dict[str, Any] = {"sigma": uniform(rng, self.sigma)}
        if self.grey or self.correlated:
            kinds = (self.grey, self.correlated, max(0.0, 1 - self.grey - self.correlated))
            kind = pick_weighted(rng, kinds)
            if kind == 0:
                parameters["grey"] = True
            elif kind == 1:
                parameters["mixing"] = _mixing(rng)
        return [Operation(self.name, parameters)]


@dataclass(frozen=True)
class Speckle(Noise):
    """Add Gaussian noise in proportion to the level; `sigma` is that at white."""

    name: ClassVar[str] = "speckle"


@dataclass(frozen=True)
class Poisson(Step):
    """Add the noise of counting photons.

    Attributes:
        scale: what the noise is multiplied by.
        photons: of a white pixel, drawn evenly in octaves; None: as many as the image has levels.
        grey: probability of one noise for all channels.
    """

    name: ClassVar[str] = "poisson"
    main: ClassVar[str] = "scale"

    scale: Range = span((0.05, 2.5), 0, 100)
    photons: Range | None = span(None, 1, 1e6)
    grey: float = probability(0.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength and the kind."""
        parameters: dict[str, Any] = {"scale": uniform(rng, self.scale)}
        if self.photons is not None:
            low, high = self.photons
            parameters["photons"] = math.exp(uniform(rng, (math.log(low), math.log(high))))
        if happens(rng, self.grey):
            parameters["grey"] = True
        return [Operation("poisson", parameters)]


def _mixing(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """The square root of a covariance with random axes and variances in [0, 1)."""
    variances = rng.random(3)
    axes, _ = np.linalg.qr(rng.random((3, 3)))
    mixing = (axes * np.sqrt(variances)) @ axes.T
    return tuple(tuple(float(x) for x in row) for row in mixing)
