"""Blur, ringing and sharpening."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from tfsr.degradations import ranges
from tfsr.degradations.convolution import SHAPES, blur_kernel, convolve, gaussian_blur, sinc
from tfsr.degradations.levels import byte_levels, float_levels
from tfsr.degradations.ranges import Range, Rng
from tfsr.degradations.step import SizeState, Step
from tfsr.errors import InvalidArgument, check_choice

# Bounds of memory and time.
_MAX_KERNEL = 101
_MAX_SIGMA = 50.0

# Above this standard deviation, running means of 8-bit levels approximate a Gaussian well enough.
_WIDE_SIGMA = 6.0

_KERNELS = tuple(f"{prefix}-{shape}" for shape in SHAPES for prefix in ("isotropic", "anisotropic"))


def _read_size(value: Any, name: str) -> Range:
    low, high = ranges.read_range(value, name, 1, _MAX_KERNEL, integers=True)
    if low % 2 == 0 or high % 2 == 0:
        raise InvalidArgument(f"must be odd numbers; received {value!r}", name)
    return low, high


def _read_kernels(value: Any, name: str) -> dict[str, float]:
    kernels = {value: 1.0} if isinstance(value, str) else value
    if not isinstance(kernels, Mapping):
        raise InvalidArgument(f"must be a name or {{name: probability}}; received {value!r}", name)
    for kernel, chance in kernels.items():
        check_choice(name, kernel, _KERNELS)
        ranges.read_number(chance, f"{name}.{kernel}", 0, 1)
    ranges.check_sum(kernels.values(), name)
    return dict(kernels)


@dataclass(frozen=True)
class Blur(Step, name="blur", main="sigma"):
    """Blur with a blur_kernel-shaped kernel of random shape.

    Attributes:
        sigma: standard deviation in pixels of the image at this step.
        kernels: probabilities of "isotropic-" and "anisotropic-" kernels, each "gaussian",
            "generalized" or "plateau". Anisotropic ones have a second sigma, and an angle.
        size: odd sides of the kernel; None: 3 sigma on each side.
        variance: range of sigma squared, instead of sigma.
        per_scale: the upper end of sigma (or variance) grows by this times the scale.
        beta: exponents of generalized kernels; half of them below 1, half above.
        plateau_beta: exponents of plateau kernels, likewise.
    """

    sigma: Range = ranges.range_field((0.1, 3.0), 0, _MAX_SIGMA)
    kernels: Mapping[str, float] | None = ranges.parameter(None, _read_kernels)
    size: Range | None = ranges.parameter(None, _read_size)
    variance: Range | None = ranges.range_field(None, 0, _MAX_SIGMA**2)
    per_scale: float = ranges.number_field(0.0, 0, 10)
    beta: Range = ranges.range_field((0.5, 4.0), 0.1, 10)
    plateau_beta: Range = ranges.range_field((1.0, 2.0), 0.1, 10)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the kernel."""
        kernels = self.kernels or {"isotropic-gaussian": 1.0}
        kind = list(kernels)[ranges.pick_weighted(rng, list(kernels.values()))]
        spread, _, shape = kind.partition("-")
        size = None if self.size is None else _odd(rng, self.size)
        first = second = self._sigma(rng, max(sizes.scales))
        angle = 0.0
        if spread == "anisotropic":
            second = self._sigma(rng, max(sizes.scales))
            angle = ranges.uniform(rng, (-math.pi, math.pi))
        if size is None:
            size = 2 * math.ceil(3 * max(first, second)) + 1
        values: dict[str, Any] = {"shape": shape, "size": size, "sigma": (first, second)}
        if angle:
            values["angle"] = angle
        if shape != "gaussian":
            values["beta"] = _beta(rng, self.beta if shape == "generalized" else self.plateau_beta)
        return values

    def _sigma(self, rng: Rng, scale: float) -> float:
        low, high = self.sigma if self.variance is None else self.variance
        value = ranges.uniform(rng, (low, high + self.per_scale * scale))
        return value if self.variance is None else math.sqrt(value)

    @staticmethod
    def apply(
        image: np.ndarray,
        rng: Rng,
        *,
        shape: str,
        size: int,
        sigma: tuple[float, float],
        angle: float = 0.0,
        beta: float = 1.0,
    ) -> np.ndarray:
        """Convolve with a kernel; see `blur_kernel`."""
        if shape == "gaussian" and sigma[0] == sigma[1]:
            return gaussian_blur(image, sigma[0], size // 2)
        return convolve(image, blur_kernel(shape, size, sigma, angle, beta))


@dataclass(frozen=True)
class Sinc(Step, name="sinc", main="cutoff"):
    """Ringing, as left by cheap resizing and strong compression.

    Attributes:
        cutoff: cut-off frequency over pi. Kernels of less than 13 pixels, which cannot represent
            lower frequencies, use the part of the range above 1/3, as in Real-ESRGAN.
        size: odd sides of the kernel.
    """

    cutoff: Range = ranges.range_field((1 / 3, 1.0), 0.1, 1)
    size: Range = ranges.parameter((7, 21), _read_size)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the kernel."""
        size = _odd(rng, self.size)
        low, high = self.cutoff
        if size < 13:
            low, high = max(low, 1 / 3), max(high, 1 / 3)
        return {"size": size, "cutoff": ranges.uniform(rng, (low, high))}

    @staticmethod
    def apply(image: np.ndarray, rng: Rng, *, size: int, cutoff: float) -> np.ndarray:
        """Convolve with a sinc kernel."""
        return np.clip(convolve(image, sinc(size, cutoff)), 0, 255)


@dataclass(frozen=True)
class Sharpen(Step, name="sharpen", main="amount"):
    """Sharpen by an unsharp mask: halos beside edges.

    Attributes:
        amount: weight of the difference to the blurred image.
        sigma: standard deviation of that blur, in pixels of the image at this step.
        threshold: difference in levels up to which the image is unchanged.

    Reference:
        Real-ESRGAN, https://github.com/xinntao/Real-ESRGAN (`usm_sharp`: amount 0.5, OpenCV's
        51-pixel Gaussian of sigma 8, threshold 10)
    """

    amount: Range = ranges.range_field((0.3, 1.0), 0, 10)
    sigma: Range = ranges.range_field((0.6, 2.0), 0.1, _MAX_SIGMA)
    threshold: float = ranges.number_field(0.0, 0, 255)

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the strength."""
        values = {
            "amount": ranges.uniform(rng, self.amount),
            "sigma": ranges.uniform(rng, self.sigma),
        }
        return {**values, "threshold": self.threshold} if self.threshold else values

    @staticmethod
    def apply(
        image: np.ndarray, rng: Rng, *, amount: float, sigma: float, threshold: float = 0.0
    ) -> np.ndarray:
        """Add the difference to the blurred image where it exceeds the threshold."""
        image = float_levels(image)
        difference = image - _wide_blur(image, sigma)
        sharp = np.clip(image + np.float32(amount) * difference, 0, 255)
        if threshold == 0:
            return sharp
        mask = np.where(np.abs(difference) > threshold, np.uint8(255), np.uint8(0))
        return image + _wide_blur(mask, sigma) / np.float32(255) * (sharp - image)


def _wide_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with an untruncated Gaussian; a wide one by running means, in constant time."""
    if sigma <= _WIDE_SIGMA:
        return gaussian_blur(image, sigma, int(np.ceil(3.1 * sigma)))
    blurred = Image.fromarray(byte_levels(image)).filter(ImageFilter.GaussianBlur(sigma))
    return np.array(blurred, np.float32)


def _odd(rng: Rng, ends: Range) -> int:
    return 2 * ranges.integer(rng, (ends[0] // 2, ends[1] // 2)) + 1


def _beta(rng: Rng, ends: Range) -> float:
    low, high = ends
    if not low < 1 < high:
        return ranges.uniform(rng, ends)
    return (
        ranges.uniform(rng, (low, 1.0)) if rng.random() < 0.5 else ranges.uniform(rng, (1.0, high))
    )
