"""Steps that filter: blur, ringing, sharpening."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.kernels import SHAPES
from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    Range,
    integer,
    number,
    parameter,
    pick_weighted,
    read_span,
    span,
    uniform,
    weights,
)
from tfsr.degradations.steps.step import Canvas, Step
from tfsr.errors import InvalidArgument

# Bounds of memory and time.
_LARGEST_KERNEL = 101
_LARGEST_SIGMA = 50.0

KERNELS = tuple(f"{prefix}{shape}" for shape in SHAPES for prefix in ("isotropic-", "anisotropic-"))


@dataclass(frozen=True)
class Blur(Step):
    """Blur with a kernel drawn from several kinds.

    Attributes:
        sigma: standard deviation in pixels of the image at this step.
        kernels: kinds and their probabilities: isotropic or anisotropic, each gaussian,
            generalized or plateau. Anisotropic ones draw a second sigma, and an angle.
        size: odd sides of the kernel; None: as large as 3 sigma asks.
        variance: range of sigma squared instead of sigma.
        per_scale: the upper end of sigma (of the variance, where that is given) grows by this times
            the scale.
        beta: exponents of the generalized kernels: half of them below 1, half above.
        plateau_beta: exponents of the plateau kernels, likewise.
    """

    name: ClassVar[str] = "blur"
    main: ClassVar[str] = "sigma"

    sigma: Range = span((0.1, 3.0), 0, _LARGEST_SIGMA)
    kernels: tuple[tuple[str, float], ...] = weights({"isotropic-gaussian": 1.0}, KERNELS)
    size: Range | None = parameter(None, lambda value, where: _read_kernel_size(value, where))
    variance: Range | None = span(None, 0, _LARGEST_SIGMA**2)
    per_scale: float = number(0.0, 0, 10)
    beta: Range = span((0.5, 4.0), 0.1, 10)
    plateau_beta: Range = span((1.0, 2.0), 0.1, 10)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the kernel."""
        kind = self.kernels[pick_weighted(rng, tuple(x for _, x in self.kernels))][0]
        spread, _, shape = kind.partition("-")
        size = None if self.size is None else _odd(rng, self.size)
        first = self._sigma(rng, canvas.scale)
        second, angle = first, 0.0
        if spread == "anisotropic":
            second = self._sigma(rng, canvas.scale)
            angle = uniform(rng, (-math.pi, math.pi))
        parameters: dict[str, Any] = {"shape": shape, "size": size, "sigma": (first, second)}
        if size is None:
            parameters["size"] = 2 * math.ceil(3 * max(first, second)) + 1
        if angle:
            parameters["angle"] = angle
        if shape != "gaussian":
            parameters["beta"] = _beta(
                rng, self.beta if shape == "generalized" else self.plateau_beta
            )
        return [Operation("blur", parameters)]

    def _sigma(self, rng: np.random.Generator, scale: float) -> float:
        low, high = self.sigma if self.variance is None else self.variance
        value = uniform(rng, (low, high + self.per_scale * scale))
        return value if self.variance is None else math.sqrt(value)

    def _largest(self, scale: float) -> float:
        high = (self.sigma if self.variance is None else self.variance)[1] + self.per_scale * scale
        return high if self.variance is None else math.sqrt(high)


@dataclass(frozen=True)
class Sinc(Step):
    """Ringing, by the sinc kernel.

    Attributes:
        cutoff: cut-off frequency over pi. Kernels of less than 13 pixels, which cannot hold lower
            frequencies, use the part of the range from 1/3 on, as in Real-ESRGAN.
        size: odd sides of the kernel.
    """

    name: ClassVar[str] = "sinc"
    main: ClassVar[str] = "cutoff"

    cutoff: Range = span((1 / 3, 1.0), 0.1, 1)
    size: Range = parameter((7, 21), lambda value, where: _read_kernel_size(value, where))

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the kernel."""
        size = _odd(rng, self.size)
        low, high = self.cutoff
        if size < 13:
            low, high = max(low, 1 / 3), max(high, 1 / 3)
        return [Operation("sinc", {"size": size, "cutoff": uniform(rng, (low, high))})]


@dataclass(frozen=True)
class Sharpen(Step):
    """Sharpen by an unsharp mask.

    Attributes:
        amount: how much of the difference to the blurred image is added.
        sigma: standard deviation of that blur, in pixels of the image at this step.
        threshold: difference in levels up to which the image is left alone.
    """

    name: ClassVar[str] = "sharpen"
    main: ClassVar[str] = "amount"

    amount: Range = span((0.3, 1.0), 0, 10)
    sigma: Range = span((0.6, 2.0), 0.1, _LARGEST_SIGMA)
    threshold: float = number(0.0, 0, 255)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength."""
        parameters = {"amount": uniform(rng, self.amount), "sigma": uniform(rng, self.sigma)}
        if self.threshold:
            parameters["threshold"] = self.threshold
        return [Operation("sharpen", parameters)]


def _odd(rng: np.random.Generator, ends: Range) -> int:
    return 2 * integer(rng, (ends[0] // 2, ends[1] // 2)) + 1


def _beta(rng: np.random.Generator, ends: Range) -> float:
    low, high = ends
    if not low < 1 < high:
        return uniform(rng, ends)
    return uniform(rng, (low, 1.0)) if rng.random() < 0.5 else uniform(rng, (1.0, high))


def _read_kernel_size(value: Any, where: str) -> Range:
    low, high = read_span(value, where, 1, _LARGEST_KERNEL, whole=True)
    if low % 2 == 0 or high % 2 == 0:
        raise InvalidArgument(f"{where} takes odd numbers; received {value!r}")
    return low, high
