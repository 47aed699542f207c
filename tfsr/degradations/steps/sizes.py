"""Steps that resize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    Range,
    choices,
    flag,
    happens,
    parameter,
    pick,
    pick_weighted,
    probability,
    span,
    uniform,
)
from tfsr.degradations.rescaling import METHODS
from tfsr.degradations.steps.step import Box, Canvas, Size, Step
from tfsr.errors import InvalidArgument

# A bound of memory: no image exceeds twice the original's side.
_LARGEST = 2.0


@dataclass(frozen=True)
class Resize(Step):
    """Resize by a factor.

    Attributes:
        factor: of the new side over that of `of`.
        of: "image": of the image at this step; "lr": of the LR image, the size that is wanted.
        up: probability of a factor between 1 and the upper end; None: the whole range is drawn
            evenly.
        down: probability of a factor between the lower end and 1; the rest keeps the size of `of`.
        divisor: range of what the side is divided by, instead of a factor.
        per_scale: whether the lower end of `factor` is divided by the scale.
        enlarge: whether the image may become larger than it is at this step.
        methods: "area", "bilinear", "bicubic", "nearest", each as likely.
        antialias: probability that bilinear and bicubic are antialiased.
    """

    name: ClassVar[str] = "resize"
    main: ClassVar[str] = "factor"

    factor: Range = span((0.5, 1.0), 0.01, 8)
    of: str = parameter("image", lambda value, where: _read_reference(value, where))
    up: float | None = probability(None)  # type: ignore[arg-type]
    down: float | None = probability(None)  # type: ignore[arg-type]
    divisor: Range | None = span(None, 1 / _LARGEST, 100)
    per_scale: bool = flag(False)
    enlarge: bool = flag(True)
    methods: tuple[str, ...] = choices(("area", "bilinear", "bicubic"), METHODS)
    antialias: float = probability(1.0)

    def __post_init__(self) -> None:
        if (self.up or 0) + (self.down or 0) > 1:
            raise InvalidArgument(
                f"resize.up and resize.down must not exceed 1 together; received {self.up} and "
                f"{self.down}"
            )

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the size and the method."""
        factor = self._factor(rng, canvas.scale)
        reference = canvas.whole_lr if self.of == "lr" else canvas.current
        sides = []
        for side, now, original in zip(reference, canvas.current, canvas.original, strict=True):
            # Compounded factors stay within memory; bsrgan's can exceed it once in 25 times.
            limit = max(_LARGEST * original, now) if self.enlarge else now
            sides.append(int(max(1, min(round(side * factor), limit))))
        canvas.current = (sides[0], sides[1])
        return [_resize(rng, canvas.current, self.methods, self.antialias)]

    def _factor(self, rng: np.random.Generator, scale: float) -> float:
        if self.divisor is not None:
            return 1 / uniform(rng, self.divisor)
        low, high = self.factor
        low = low / scale if self.per_scale else low
        if self.up is None and self.down is None:
            return uniform(rng, (low, high))
        up, down = self.up or 0.0, self.down or 0.0
        chosen = pick_weighted(rng, (up, down, max(0.0, 1 - up - down)))
        return (uniform(rng, (1.0, max(1.0, high))), uniform(rng, (min(1.0, low), 1.0)), 1.0)[
            chosen
        ]


@dataclass(frozen=True)
class ToLR(Step):
    """Resize to the size of the LR image. A pipeline without this step ends with it.

    Attributes:
        methods: "area", "bilinear", "bicubic", "nearest", each as likely.
        antialias: probability that bilinear and bicubic are antialiased.
    """

    name: ClassVar[str] = "to_lr"
    main: ClassVar[str] = "methods"

    methods: tuple[str, ...] = choices(("bicubic",), METHODS)
    antialias: float = probability(1.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the method."""
        box = canvas.current_box
        whole = box == (0, 0, *canvas.current)
        canvas.current, canvas.is_lr = canvas.lr, True
        region = {} if whole else {"box": box}
        return [_resize(rng, canvas.lr, self.methods, self.antialias, **region)]


def _resize(
    rng: np.random.Generator, size: Size, methods: tuple[str, ...], antialias: float, **region: Box
) -> Operation:
    method = pick(rng, methods)
    parameters: dict[str, Any] = {"size": size, "method": method, **region}
    if method in ("bilinear", "bicubic") and not happens(rng, antialias):
        parameters["antialias"] = False
    return Operation("resize", parameters)


def _read_reference(value: Any, where: str) -> str:
    if value not in ("image", "lr"):
        raise InvalidArgument(f"{where} must be image or lr; received {value!r}")
    return value
