"""The base class of degradations, and what a pipeline passes between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations import ranges
from tfsr.degradations.ranges import Rng
from tfsr.registry import Registry

Size = tuple[int, int]
"""(height, width) in pixels."""

Region = tuple[float, float, float, float]
"""(top, left, bottom, right) in pixels, fractions allowed."""


@dataclass
class SizeState:
    """The sizes that the parameters of a step may depend on.

    Attributes:
        original: (H, W) of the image that is degraded.
        lr: (h, w) of the LR image.
        box: region of the original that the LR image shows.
        current: (H, W) of the whole image at this step.
        is_lr: whether the image has been cropped and resized to the LR image.
    """

    original: Size
    lr: Size
    box: Region
    current: Size
    is_lr: bool = False

    @property
    def scales(self) -> tuple[float, float]:
        """Original pixels per LR pixel, vertical and horizontal."""
        top, left, bottom, right = self.box
        return (bottom - top) / self.lr[0], (right - left) / self.lr[1]

    @property
    def full_lr(self) -> tuple[float, float]:
        """(h, w) of the whole image at the LR image's resolution."""
        if self.is_lr:
            return self.lr
        (height, width), (vertical, horizontal) = self.original, self.scales
        return height / vertical, width / horizontal

    @property
    def current_box(self) -> Region:
        """The region that the LR image shows, in pixels of the image at this step."""
        height, width = self.current
        if self.is_lr:
            return 0.0, 0.0, height, width
        vertical, horizontal = height / self.original[0], width / self.original[1]
        top, left, bottom, right = self.box
        return top * vertical, left * horizontal, bottom * vertical, right * horizontal


@dataclass(frozen=True)
class Operation:
    """A degradation with the sampled values of its parameters.

    Attributes:
        name: of a step in `DEGRADATIONS`.
        parameters: keyword arguments of its `apply`, plain data.
    """

    name: str
    parameters: Mapping[str, Any]

    def __call__(self, image: np.ndarray, rng: Rng) -> np.ndarray:
        """Degrade an image."""
        return DEGRADATIONS.get(self.name).apply(image, rng, **self.parameters)


@dataclass(frozen=True)
class Step:
    """A degradation with the ranges of its parameters: a base class.

    A subclass is a dataclass with a field per parameter, `parameters` that samples their values,
    and `apply`, a pure function (image, rng, **values) of (H, W, 3) levels, uint8 or float32 of 0
    to 255, to the same. Two class keywords describe it to recipes: `name`, and `main`, the
    parameter that a value without a name sets (`jpeg: [30, 95]` sets the quality).

    Attributes:
        probability: of being applied.

    Example:
        >>> tfsr.degradations.DEGRADATIONS.build({"name": "jpeg", "quality": [40, 60]}).quality
        (40, 60)
    """

    name: ClassVar[str]
    main: ClassVar[str]
    apply: ClassVar[Callable[..., np.ndarray]]

    probability: float = ranges.probability_field(1.0)

    def __init_subclass__(cls, name: str, main: str = "probability") -> None:
        cls.name, cls.main = name, main
        DEGRADATIONS.add(name, cls)

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not f.default:
                object.__setattr__(self, f.name, f.metadata["read"](value, f.name))

    def sample(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample whether the step is applied, and its parameters; a resize updates `sizes`."""
        return self.operations(rng, sizes) if ranges.happens(rng, self.probability) else []

    def operations(self, rng: Rng, sizes: SizeState) -> list[Operation]:
        """Sample the operations of a step that is applied."""
        return [Operation(self.name, self.parameters(rng, sizes))]

    def parameters(self, rng: Rng, sizes: SizeState) -> dict[str, Any]:
        """Sample the keyword arguments of `apply`."""
        return {}


DEGRADATIONS = Registry("degradation", Step)
"""Classes derived from `Step`, by name."""
