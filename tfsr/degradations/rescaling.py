"""Resizing as cameras, messengers, browsers and editors do it, with and without antialiasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tfsr.degradations import ranges
from tfsr.degradations.levels import byte_levels, float_levels
from tfsr.degradations.ranges import Range, Rng
from tfsr.degradations.step import Operation, Region, Size, SizeState, Step
from tfsr.images import resize as resize_bytes

_METHODS = ("area", "bilinear", "bicubic", "nearest")

# A bound of memory: no image exceeds twice the original's side.
_MAX_GROWTH = 2.0


@dataclass(frozen=True)
class Resize(Step, name="resize", main="factor"):
    """Resize by a factor.

    Attributes:
        factor: ratio of the new side to that of `of`.
        of: "image": the image at this step; "lr": the LR image.
        up: probability of a factor between 1 and the upper end; None: one uniform range.
        down: probability of a factor between the lower end and 1. Otherwise the factor is 1.
        divisor: range of 1 / factor, instead of a factor.
        per_scale: whether the lower end of `factor` is divided by the scale.
        enlarge: whether the image may become larger than it is at this step.
        methods: "area", "bilinear", "bicubic", "nearest", equally likely.
        antialias: probability that bilinear and bicubic filters are antialiased.
    """

    factor: Range = ranges.range_field((0.5, 1.0), 0.01, 8)
    of: str = ranges.choice_field("image", ("image", "lr"))
    up: float | None = ranges.probability_field(None)
    down: float | None = ranges.probability_field(None)
    divisor: Range | None = ranges.range_field(None, 1 / _MAX_GROWTH, 100)
    per_scale: bool = ranges.choice_field(False, (True, False))
    enlarge: bool = ranges.choice_field(True, (True, False))
    methods: tuple[str, ...] = ranges.choices_field(("area", "bilinear", "bicubic"), _METHODS)
    antialias: float = ranges.probability_field(1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        ranges.check_at_most_one(self, "up", "down")

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the size and the method."""
        factor = self._factor(rng, max(sizes.scales))
        reference = sizes.full_lr if self.of == "lr" else sizes.current
        sides = []
        for side, now, original in zip(reference, sizes.current, sizes.original, strict=True):
            # Compounded factors stay within memory; those of bsrgan exceed it once in 25 times.
            limit = max(_MAX_GROWTH * original, now) if self.enlarge else now
            sides.append(int(max(1, min(round(side * factor), limit))))
        sizes.current = (sides[0], sides[1])
        return _parameters(rng, sizes.current, self.methods, self.antialias)

    def _factor(self, rng: Rng, scale: float) -> float:
        if self.divisor is not None:
            return 1 / ranges.uniform(rng, self.divisor)
        low, high = self.factor
        low = low / scale if self.per_scale else low
        if self.up is None and self.down is None:
            return ranges.uniform(rng, (low, high))
        up, down = self.up or 0.0, self.down or 0.0
        kind = ranges.pick_weighted(rng, (up, down, max(0.0, 1 - up - down)))
        # Both are sampled, so that what follows does not depend on the kind.
        enlarging = ranges.uniform(rng, (1.0, max(1.0, high)))
        reducing = ranges.uniform(rng, (min(1.0, low), 1.0))
        return (enlarging, reducing, 1.0)[kind]

    @staticmethod
    def apply(
        image: np.ndarray,
        rng: Rng,
        *,
        size: Size,
        method: Literal["area", "bilinear", "bicubic", "nearest"],
        antialias: bool = True,
        box: Region | None = None,
    ) -> np.ndarray:
        """Resize an image, or a region of it; filters see the pixels around the region.

        With antialiasing, filters widen where an image becomes smaller, and Pillow rounds to 8
        bits. Without it, bilinear and bicubic (a = -0.75) take the 2 or 4 nearest pixels of each
        axis, as OpenCV and PyTorch do by default, and fine detail becomes aliasing.
        """
        if box is None and image.shape[:2] == tuple(size):
            return image
        if method in ("nearest", "area") or antialias:
            return resize_bytes(byte_levels(image), size, method, box)
        top, left, bottom, right = box or (0, 0, *image.shape[:2])
        result = _interpolate(float_levels(image), 0, size[0], method, (top, bottom))
        return np.clip(_interpolate(result, 1, size[1], method, (left, right)), 0, 255)


@dataclass(frozen=True)
class ToLR(Step, name="to_lr", main="methods"):
    """Resize to the size of the LR image. A pipeline without this step ends with it.

    Attributes:
        methods: "area", "bilinear", "bicubic", "nearest", equally likely.
        antialias: probability that bilinear and bicubic filters are antialiased.
    """

    methods: tuple[str, ...] = ranges.choices_field(("bicubic",), _METHODS)
    antialias: float = ranges.probability_field(1.0)

    def operations(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample the method."""
        box = sizes.current_box
        region = {} if box == (0, 0, *sizes.current) else {"box": box}
        sizes.current, sizes.is_lr = sizes.lr, True
        values = _parameters(rng, sizes.lr, self.methods, self.antialias)
        return [Operation("resize", {**values, **region})]


def _parameters(rng: Rng, size: Size, methods: tuple[str, ...], antialias: float) -> dict[str, Any]:
    method = ranges.pick(rng, methods)
    values: dict[str, Any] = {"size": size, "method": method}
    if method in ("bilinear", "bicubic") and not ranges.happens(rng, antialias):
        values["antialias"] = False
    return values


def _interpolate(
    image: np.ndarray, axis: int, side: int, method: str, ends: tuple[float, float]
) -> np.ndarray:
    """Interpolate at `side` centres between two ends of an axis; edges are repeated."""
    start, end = ends
    position = start + (np.arange(side) + 0.5) * (end - start) / side - 0.5
    first = np.floor(position)
    offset = position - first
    weights = _cubic(offset) if method == "bicubic" else (1 - offset, offset)
    # As many pixels before the position as after it.
    taps = range(1 - len(weights) // 2, 1 + len(weights) // 2)
    shape = [-1 if i == axis else 1 for i in range(image.ndim)]
    total = np.float32(0)
    for tap, weight in zip(taps, weights, strict=True):
        index = np.clip(first.astype(int) + tap, 0, image.shape[axis] - 1)
        total = total + image.take(index, axis) * weight.astype(np.float32).reshape(shape)
    return np.asarray(total)


def _cubic(t: np.ndarray, a: float = -0.75) -> tuple[np.ndarray, ...]:
    """Weights of the four nearest pixels; `t` is the distance from the second."""

    def near(x: np.ndarray) -> np.ndarray:
        return ((a + 2) * x - (a + 3)) * x**2 + 1

    def far(x: np.ndarray) -> np.ndarray:
        return a * (((x - 5) * x + 8) * x - 4)

    return far(1 + t), near(t), near(1 - t), far(2 - t)
