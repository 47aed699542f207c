"""How training samples are made from images, and which images are large enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tfsr.degradations import get_pipeline
from tfsr.errors import InvalidArgument, check_choice


@dataclass(frozen=True)
class SamplingConfig:
    """How a training sample is made from an image.

    Attributes:
        mode: "resize": the image is reduced to the LR and to the HR size (ARASFSR, and LIIF on
            CelebA-HQ); it must be square, as aligned faces are. "random_crop": a square crop of
            round(scale x lr_size) HR pixels is reduced (LIIF on DIV2K).
        batch: samples in a step.
        lr_size: side of the LR image, in pixels; with `window` also (min, max), log-uniform.
        hr_size: "resize": (min, max) side of the HR image, uniform; never below the LR size.
        scale: "random_crop": (min, max) scale, uniform.
        window: "resize": side of a window cropped from the LR image, so that large LR sizes cost no
            more than small ones; None for the whole LR image.
        num_points: query points in a sample, HR pixels sampled without replacement; None for the
            whole HR image, as fixed-scale models are trained (its size must then be constant).
        points: their layout: "scattered"; "lattice", random rows times random columns of the HR
            image, for which linear decoders need no gather; "patch", consecutive rows and columns.
            The last two need a square number of points.
        degradation: how the LR image is made: a pipeline of `tfsr.degradations` by name, a mapping
            that modifies one, or a list of steps.
        augment: any of "horizontal", "vertical", "transpose", each with probability 1/2.

    Example:
        >>> config = tfsr.data.SamplingConfig(mode="random_crop", lr_size=48, scale=(1, 4))
        >>> config.crop_side(scale=3.5)
        168
    """

    mode: Literal["resize", "random_crop"] = "resize"
    batch: int = 16
    lr_size: int | tuple[int, int] = 48
    hr_size: tuple[int, int] = (48, 256)
    scale: tuple[float, float] = (1.0, 4.0)
    window: int | None = None
    num_points: int | None = 2304
    points: Literal["scattered", "lattice", "patch"] = "scattered"
    degradation: str | Mapping[str, Any] | list[Any] = "bicubic"
    augment: tuple[str, ...] = ("horizontal",)

    @property
    def input_size(self) -> int:
        """Side of the model's LR input."""
        return self.window or self.lr_range[0]

    @property
    def patch_side(self) -> int:
        """Rows, and columns, of a lattice or patch of points."""
        return math.isqrt(self.num_points or 0)

    @property
    def lr_range(self) -> tuple[int, int]:
        """(min, max) side of the LR image."""
        return (self.lr_size, self.lr_size) if isinstance(self.lr_size, int) else self.lr_size

    def crop_side(self, scale: float) -> int:
        """Side of the crop at a scale in mode "random_crop", in HR pixels."""
        return math.floor(self.input_size * scale + 0.5)

    def validate(self) -> None:
        """Check that the values are consistent.

        Raises:
            InvalidArgument: with the attribute's name.
        """
        get_pipeline(self.degradation)
        check_choice("mode", self.mode, ["resize", "random_crop"])
        check_choice("points", self.points, ["scattered", "lattice", "patch"])
        for name in self.augment:
            check_choice("augment", name, ["horizontal", "vertical", "transpose"])
        for name in ("batch", "num_points", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidArgument(f"must be at least 1; received {value}", name)
        lr_min, lr_max = self.lr_range
        ranges = {"lr_size": self.lr_range, "hr_size": self.hr_size, "scale": self.scale}
        for name, (low, high) in ranges.items():
            if not 0 < low <= high < math.inf:
                raise InvalidArgument(f"must be (min, max) above 0; received {(low, high)}", name)
        if self.mode == "random_crop" and (self.window or lr_min != lr_max):
            raise InvalidArgument("mode 'random_crop' needs a single lr_size and no window")
        if self.mode == "resize" and lr_max > self.hr_size[1]:
            raise InvalidArgument(
                f"must not exceed the maximum of hr_size, {self.hr_size[1]}; received {lr_max}",
                "lr_size",
            )
        if self.window is None and lr_min != lr_max:
            raise InvalidArgument("must be a single size without a window", "lr_size")
        if self.window is not None and self.window > lr_min:
            raise InvalidArgument(
                f"must not exceed the minimum of lr_size, {lr_min}; received {self.window}",
                "window",
            )
        if self.points != "scattered" and self.num_points != self.patch_side**2:
            raise InvalidArgument(
                f"must be a square number for points '{self.points}', such as 2304; "
                f"received {self.num_points}",
                "num_points",
            )
        low, high = ranges["scale" if self.mode == "random_crop" else "hr_size"]
        if self.num_points is None and (low != high or self.window):
            raise InvalidArgument("may be null only if every HR image has one size", "num_points")

    def check_image(self, height: int, width: int) -> None:
        """Raise InvalidArgument unless every possible sample fits in an image of this size."""
        size = f"{width}x{height}"
        if self.mode == "random_crop":
            side = self.crop_side(self.scale[1])
            if side > min(height, width):
                raise InvalidArgument(
                    f"a crop of {side}x{side} does not fit in its {size} pixels; use larger "
                    "images, a smaller scale or a smaller lr_size"
                )
        elif height != width:
            raise InvalidArgument(
                f"{size} is not square, and mode 'resize' needs aligned, square faces; crop it, or "
                "use mode 'random_crop'"
            )
        elif self.hr_size[1] > height:
            raise InvalidArgument(
                f"{size} pixels are fewer than the maximum of hr_size, {self.hr_size[1]}; use "
                "larger images or a smaller hr_size"
            )
