"""The papers' evaluations as data: which pairs of images, what is rounded, what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tfsr import metrics
from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.evaluation.reduction import Reduction


@dataclass(frozen=True)
class Measure:
    """One figure of a pair of images.

    Attributes:
        kind: "psnr", in dB, or "ssim".
        rule: a key of `tfsr.metrics.PROTOCOLS`.
    """

    kind: Literal["psnr", "ssim"]
    rule: str

    @property
    def name(self) -> str:
        """Such as "psnr-rgb"."""
        return f"{self.kind}-{self.rule}"

    @property
    def label(self) -> str:
        """What is computed, in words."""
        rule = metrics.PROTOCOLS[self.rule]
        border = "no border"
        if rule.shaves:
            border = "border of the scale" + (f" + {rule.margin}" if rule.margin else "") + " cut"
        channels = "RGB" if rule.luma is None else "Y"
        truncated = " truncated to 8 bits" if rule.quantized else ""
        if self.kind == "psnr":
            return f"PSNR of {channels}{truncated} in dB, {border}"
        window = {"uniform": "uniform 7x7", "gaussian": "Gaussian 11x11"}[rule.window or "uniform"]
        return f"SSIM of {channels}{truncated}, {window} window, {border}"

    def least_side(self, scale: int | None) -> int:
        """The shorter side of the smallest image that can be measured."""
        return metrics.min_side(self.rule, scale, structural=self.kind == "ssim")

    def __call__(self, sr: np.ndarray, hr: np.ndarray, scale: int | None) -> float:
        """The figure of an output, uint8 or float in [0, 1], against an HR image."""
        measure = metrics.psnr if self.kind == "psnr" else metrics.ssim
        return measure(sr, hr, self.rule, scale)


@dataclass(frozen=True)
class Protocol:
    """How a system is measured on a folder of images.

    Attributes:
        name: what the command line calls it.
        title: whose protocol it is.
        answers: what becomes of a system's float answer first: "float", nothing but clipping;
            "rounded" to 8 bits, as `tfsr upscale` writes files; "truncated" to 8 bits, as the
            authors' programs write them.
        measures: what is measured; the first is what is plotted.
        lr: the LR sides that are measured by default, or "LR-HR" pairs of sides; None if it
            measures scales only.
        scales: the scales that are measured by default; None if it measures pairs only.
        given: the whole scales whose LR images come with the data set.
        degradations: how LR images are made where they are not given; columns for each.
    """

    name: str
    title: str
    outputs: Literal["float", "rounded", "truncated"]
    measures: tuple[Measure, ...]
    lr: tuple[str, ...] | None = None
    scales: tuple[float, ...] | None = None
    given: tuple[int, ...] = ()
    degradations: tuple[str, ...] = ("bicubic",)

    @property
    def how(self) -> str:
        """The protocol in a line, without the measures."""
        outputs = {
            "float": "answers are not rounded",
            "rounded": "answers are rounded to 8 bits",
            "truncated": "answers are truncated to 8 bits",
        }
        return f"{self.name}: {self.title}; {outputs[self.outputs]}"

    def reductions(
        self,
        lr: Sequence[str] = (),
        scales: Sequence[float] = (),
        degradation: str | None = None,
    ) -> list[Reduction]:
        """The columns of a table.

        Args:
            lr: LR sides, or "LR-HR" pairs, instead of the protocol's own.
            scales: scales instead of its own.
            degradation: how LR images are made; any for `files`, where no paper fixes it, one of
                its own for others.

        Raises:
            InvalidArgument: for what the protocol does not measure, or for nothing at all.
        """
        if (
            degradation is not None
            and self.name != "files"
            and degradation not in self.degradations
        ):
            raise InvalidArgument(
                f"protocol '{self.name}' fixes its degradation, {' or '.join(self.degradations)}; "
                f"received {degradation!r}. --degradation goes with --protocol files"
            )
        if lr and self.lr is None:
            raise InvalidArgument(
                f"protocol '{self.name}' measures scales: choose them with --scales, not --lr-sides"
            )
        if scales and self.scales is None:
            raise InvalidArgument(
                f"protocol '{self.name}' measures pairs of sizes: choose them with --lr-sides, "
                "such as 32-128, not --scales"
            )
        if not lr and not scales:
            lr, scales = self.lr or (), self.scales or ()
        if not lr and not scales:
            raise InvalidArgument("give --lr-sides, --scales or both, such as --lr-sides 128,64")
        found = []
        for kind in [degradation] if degradation else self.degradations:
            found += [_of_sides(text, kind) for text in lr]
            found += [self._of_scale(scale, kind) for scale in scales]
        return found

    def border_scale(self, reduction: Reduction) -> int | None:
        """The scale that sets the width of a border, where there is one."""
        if not any(metrics.PROTOCOLS[measure.rule].shaves for measure in self.measures):
            return None
        return int(reduction.scale or 1)

    def _of_scale(self, scale: float, degradation: str) -> Reduction:
        shaves = any(metrics.PROTOCOLS[measure.rule].shaves for measure in self.measures)
        if shaves and not (float(scale).is_integer() and scale >= 1):
            raise InvalidArgument(
                f"protocol '{self.name}' cuts borders of whole scales: "
                f"--scales must be whole numbers such as 2,3; got {scale:g}"
            )
        return Reduction(scale=scale, degradation=degradation)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "files",
            "originals reduced and restored to their size, as 8-bit files",
            "rounded",
            (Measure("psnr", "rgb"), Measure("psnr", "y"), Measure("ssim", "y")),
            lr=(),
            scales=(),
        ),
        Protocol(
            "celebahq",
            "ARASFSR's bicubic table (arXiv 2511.16341): LR and HR are bicubic reductions of the "
            "original",
            "truncated",
            (Measure("psnr", "arasfsr-y"), Measure("ssim", "arasfsr-y")),
            lr=("64-96", "32-128", "32-256", "32-512", "96-256", "96-512", "64-512"),
        ),
        Protocol(
            "celebahq-nn65",
            "ARASFSR's CelebAHQ-NN-JPEG table (arXiv 2511.16341): LR is the nearest-neighbour "
            "reduction of the original as JPEG of quality 65, HR its bicubic reduction",
            "truncated",
            (Measure("psnr", "arasfsr-y"), Measure("ssim", "arasfsr-y")),
            lr=("16-64", "16-128", "16-256", "48-128", "48-256"),
            degradations=("nn65",),
        ),
        Protocol(
            "div2k",
            "DIV2K as LIIF measures it (arXiv 2012.09161)",
            "float",
            (Measure("psnr", "div2k"),),
            scales=(2, 3, 4, 6, 12, 18, 24, 30),
            given=(2, 3, 4),
        ),
        Protocol(
            "benchmark",
            "Set5, Set14, B100, Urban100 as LIIF measures them (arXiv 2012.09161)",
            "float",
            (Measure("psnr", "benchmark-y"), Measure("ssim", "benchmark-y")),
            scales=(2, 3, 4, 6, 8),
            given=(2, 3, 4),
        ),
        Protocol(
            "real",
            "originals degraded lightly, medium and heavily, as photographs are, and restored",
            "rounded",
            (Measure("psnr", "rgb"), Measure("psnr", "y"), Measure("ssim", "y")),
            lr=("64", "128"),
            scales=(),
            degradations=("real-light", "real-medium", "real-heavy"),
        ),
        Protocol(
            "x1-x30",
            "every whole scale from 1 to 30, LR made from the original cropped to a multiple",
            "float",
            (Measure("psnr", "rgb"),),
            scales=tuple(range(1, 31)),
        ),
    )
}


def get(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        InvalidArgument: if there is none; the nearest is named.
    """
    if name not in PROTOCOLS:
        raise InvalidArgument(
            f"--protocol must be one of {', '.join(PROTOCOLS)}; got {name!r}."
            + did_you_mean(name, PROTOCOLS)
        )
    return PROTOCOLS[name]


def _of_sides(text: str, degradation: str) -> Reduction:
    try:
        lr, *hr = [int(part) for part in text.split("-")]
        if len(hr) > 1 or min(lr, *hr, lr) < 1:
            raise ValueError
    except ValueError:
        raise InvalidArgument(
            "--lr-sides must be sides in pixels, such as 128,64, or LR-HR pairs, such as 32-128; "
            f"got {text!r}"
        ) from None
    return Reduction(lr, degradation=degradation, hr_size=hr[0] if hr else None)
