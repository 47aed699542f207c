"""Noise: Gaussian, speckle and Poisson; per channel, grey or correlated between channels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.degradations import ranges
from tfsr.degradations.levels import byte_levels, float_levels, luma
from tfsr.degradations.ranges import Range, Rng
from tfsr.degradations.step import SizeState, Step

# Above this mean, Poisson and Gaussian numbers of the same variance look alike.
_GAUSSIAN_MEAN = 16.0

_Mixing = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Noise(Step, name="noise", main="sigma"):
    """Add Gaussian noise.

    Attributes:
        sigma: standard deviation in levels of 255.
        grey: probability of the same noise in all channels.
        correlated: probability of noise with a random covariance between channels, as in BSRGAN.
            Otherwise the channels are independent.
    """

    sigma: Range = ranges.range_field((0.0, 15.0), 0, 255)
    grey: float = ranges.probability_field(0.0)
    correlated: float = ranges.probability_field(0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        ranges.check_at_most_one(self, "grey", "correlated")

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the strength and the kind."""
        values: dict[str, Any] = {"sigma": ranges.uniform(rng, self.sigma)}
        if self.grey or self.correlated:
            chances = (self.grey, self.correlated, max(0.0, 1 - self.grey - self.correlated))
            kind = ranges.pick_weighted(rng, chances)
            if kind == 0:
                values["grey"] = True
            elif kind == 1:
                values["mixing"] = _sample_mixing(rng)
        return values

    @staticmethod
    def apply(image: np.ndarray, rng: Rng, *, sigma: float, **kind: Any) -> np.ndarray:
        """Add noise; `kind` as in `_normal`."""
        noise = np.float32(sigma) * _normal(image, rng, **kind)
        return np.clip(float_levels(image) + noise, 0, 255)


@dataclass(frozen=True)
class Speckle(Noise, name="speckle", main="sigma"):
    """Add Gaussian noise proportional to the level; `sigma` is that at white."""

    @staticmethod
    def apply(image: np.ndarray, rng: Rng, *, sigma: float, **kind: Any) -> np.ndarray:
        """Add noise; `kind` as in `_normal`."""
        levels = float_levels(image)
        noise = _normal(image, rng, **kind)
        return np.clip(levels + levels * noise * np.float32(sigma / 255), 0, 255)


@dataclass(frozen=True)
class Poisson(Step, name="poisson", main="scale"):
    """Add the noise of counting photons.

    Attributes:
        scale: factor of the noise.
        photons: of a white pixel, sampled uniformly in octaves. None: the number of levels in the
            image, rounded up to a power of 2, as in Real-ESRGAN.
        grey: probability of the same noise, that of the luma, in all channels.
    """

    scale: Range = ranges.range_field((0.05, 2.5), 0, 100)
    photons: Range | None = ranges.range_field(None, 1, 1e6)
    grey: float = ranges.probability_field(0.0)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the strength and the kind."""
        values: dict[str, Any] = {"scale": ranges.uniform(rng, self.scale)}
        if self.photons is not None:
            low, high = self.photons
            values["photons"] = math.exp(ranges.uniform(rng, (math.log(low), math.log(high))))
        return {**values, "grey": True} if ranges.happens(rng, self.grey) else values

    @staticmethod
    def apply(
        image: np.ndarray,
        rng: Rng,
        *,
        scale: float,
        photons: float | None = None,
        grey: bool = False,
    ) -> np.ndarray:
        """Add the noise, times `scale`, of an image in which white is `photons`."""
        levels = float_levels(byte_levels(image))
        light = np.rint(luma(levels)) if grey else levels
        if photons is None:
            used = int(np.count_nonzero(np.bincount(byte_levels(light).ravel(), minlength=256)))
            photons = 2.0 ** math.ceil(math.log2(max(used, 2)))
        one = np.float32(255 / photons)
        mean = light / one
        deviation = np.sqrt(mean) * rng.standard_normal(mean.shape, np.float32)
        few = mean < _GAUSSIAN_MEAN
        deviation[few] = rng.poisson(mean[few]) - mean[few]
        return np.clip(float_levels(image) + np.float32(scale) * one * deviation, 0, 255)


def _normal(
    image: np.ndarray, rng: Rng, grey: bool = False, mixing: _Mixing | None = None
) -> np.ndarray:
    """Sample unit noise: the same in all channels, or mixed by a 3x3 matrix, or independent."""
    height, width, channels = image.shape
    noise = rng.standard_normal((height, width, 1 if grey else channels), np.float32)
    return noise if mixing is None else noise @ np.array(mixing, np.float32)


def _sample_mixing(rng: Rng) -> _Mixing:
    """Sample the square root of a covariance with random axes and variances in [0, 1)."""
    variances = rng.random(3)
    axes, _ = np.linalg.qr(rng.random((3, 3)))
    mixing = (axes * np.sqrt(variances)) @ axes.T
    return tuple(tuple(float(x) for x in row) for row in mixing)
