"""How training samples are cut from images, and what that asks of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tfsr.degradations import get_pipeline
from tfsr.errors import InvalidArgument


@dataclass(frozen=True)
class SamplingConfig:
    """How a training sample is cut from an image.

    Attributes:
        mode: "resize": the image is reduced to the LR and to the HR size (ARASFSR, and LIIF on
            CelebA-HQ); it must be square, as aligned faces are. "random_crop": a square of
            round(scale x lr_size) HR pixels is cut out and reduced (LIIF on DIV2K).
        batch: samples in a step.
        lr_size: side of the LR image, in pixels; (min, max) where a window is cut from it,
            drawn evenly in octaves.
        hr_size: "resize": (min, max) side of the HR image, drawn evenly; never drawn under the
            LR size.
        scale: "random_crop": (min, max) scale, drawn evenly.
        window: "resize": side of a window cut from the LR image, so that large LR sizes cost no
            more than small ones; None keeps the LR image whole.
        num_points: query points in a sample, pixels of the HR image drawn without replacement; None
            for the HR image whole, as fixed-scale models are trained (its size must then be one).
        points: how they lie: "scattered"; "lattice", some rows times some columns of the HR image,
            for which linear decoders need no gather; "patch", consecutive rows and columns. The
            last two take a square number of queries.
        degradation: what makes the LR image: a pipeline of `tfsr.degradations` by name, a mapping
            that restates one, or a list of steps.
        augment: any of "horizontal", "vertical", "transpose", each with probability 1/2.
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
        """Side of the LR images that the model sees."""
        return self.window or self.lr_range[0]

    @property
    def patch_side(self) -> int:
        """Rows, and columns, of a lattice or a patch of queries."""
        return math.isqrt(self.num_points or 0)

    @property
    def lr_range(self) -> tuple[int, int]:
        """Least and most side of the LR image."""
        return (self.lr_size, self.lr_size) if isinstance(self.lr_size, int) else self.lr_size

    def validate(self) -> None:
        """Check that the values make sense together.

        Raises:
            InvalidArgument: naming the attribute.
        """
        get_pipeline(self.degradation)
        least, most = self.lr_range
        if self.mode not in ("resize", "random_crop"):
            raise InvalidArgument(f"mode must be 'resize' or 'random_crop'; received {self.mode!r}")
        for name, value in (
            ("batch", self.batch),
            ("num_points", self.num_points),
            ("lr_size", least),
        ):
            if value is not None and value < 1:
                raise InvalidArgument(f"{name} must be at least 1; got {value}")
        for name, (low, high) in (
            ("lr_size", (least, most)),
            ("hr_size", self.hr_size),
            ("scale", self.scale),
        ):
            if not 0 < low <= high < np.inf:
                raise InvalidArgument(f"{name} must be (least, most) above 0; got {(low, high)}")
        unknown = set(self.augment) - {"horizontal", "vertical", "transpose"}
        if unknown:
            raise InvalidArgument(
                f"augment takes horizontal, vertical, transpose; got {', '.join(sorted(unknown))}"
            )
        if self.mode == "resize" and most > self.hr_size[1]:
            raise InvalidArgument(
                f"lr_size must not exceed the most of hr_size, {self.hr_size[1]}; got {most}"
            )
        if self.window is None and least != most:
            raise InvalidArgument("lr_size can be a range only where a window is cut from it")
        if self.window is not None and not 1 <= self.window <= least:
            raise InvalidArgument(
                f"window must be between 1 and the least lr_size {least}; got {self.window}"
            )
        drawn = self.scale if self.mode == "random_crop" else self.hr_size
        if self.points not in ("scattered", "lattice", "patch"):
            raise InvalidArgument(
                f"points must be 'scattered', 'lattice' or 'patch'; received {self.points!r}"
            )
        if self.points != "scattered" and self.num_points != self.patch_side**2:
            raise InvalidArgument(
                f"num_points must be a square number for points '{self.points}', such as 2304; "
                f"received {self.num_points}"
            )
        if self.num_points is None and (drawn[0] != drawn[1] or self.window):
            raise InvalidArgument("queries can be empty only where every HR image has one size")
        if self.mode == "random_crop" and (self.window or least != most):
            raise InvalidArgument("mode 'random_crop' takes one lr_size and no window")

    def check_image(self, height: int, width: int) -> None:
        """Check that every sample that can be drawn fits in an image.

        Args:
            height: of the image, in pixels.
            width: of the image, in pixels.

        Raises:
            InvalidArgument: saying what does not fit.
        """
        size = f"{width}x{height}"
        if self.mode == "random_crop":
            most = self.crop_side(self.scale[1])
            if most > min(height, width):
                raise InvalidArgument(
                    f"a crop of {most}x{most} does not fit in its {size} pixels; "
                    "use larger images, a smaller scale or a smaller lr_size"
                )
            return
        if height != width:
            raise InvalidArgument(
                f"{size} is not square, and mode 'resize' takes aligned, square faces; "
                "crop it, or use mode 'random_crop'"
            )
        if self.hr_size[1] > height:
            raise InvalidArgument(
                f"{size} pixels, and the recipe draws HR sizes up to {self.hr_size[1]}; "
                "use larger images or a smaller hr_size"
            )

    def crop_side(self, scale: float) -> int:
        """Side of the square cut out at a scale in mode 'random_crop', in HR pixels."""
        return int(np.floor(self.input_size * scale + 0.5))
