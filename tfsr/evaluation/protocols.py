"""The papers' evaluations as data: image sizes, rounding and metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tfsr import metrics
from tfsr.errors import InvalidArgument, check_choice
from tfsr.evaluation.degradation_spec import DegradationSpec

_OUTPUTS = {
    "float": "outputs are not rounded",
    "rounded": "outputs are rounded to 8 bits",
    "truncated": "outputs are truncated to 8 bits",
}


@dataclass(frozen=True)
class Metric:
    """PSNR in dB, or SSIM, by one of `tfsr.metrics.PROTOCOLS`."""

    kind: Literal["psnr", "ssim"]
    rule: str

    @property
    def name(self) -> str:
        """Short name, such as "psnr-rgb"."""
        return f"{self.kind}-{self.rule}"

    @property
    def label(self) -> str:
        """Channels, rounding, window and border in words."""
        rule = metrics.PROTOCOLS[self.rule]
        border = "no border"
        if rule.crops_border:
            border = "border of the scale" + (f" + {rule.margin}" if rule.margin else "") + " cut"
        channels = "RGB" if rule.luma is None else "Y"
        truncated = " truncated to 8 bits" if rule.quantized else ""
        if self.kind == "psnr":
            return f"PSNR of {channels}{truncated} in dB, {border}"
        window = {"uniform": "uniform 7x7", "gaussian": "Gaussian 11x11"}[rule.window or "uniform"]
        return f"SSIM of {channels}{truncated}, {window} window, {border}"

    def min_side(self, scale: int | None) -> int:
        """Return the shorter side of the smallest image that can be measured."""
        return metrics.min_side(self.rule, scale, structural=self.kind == "ssim")

    def __call__(self, sr: np.ndarray, hr: np.ndarray, scale: int | None) -> float:
        """Compare an output, uint8 or float in [0, 1], with an HR image."""
        compute = metrics.psnr if self.kind == "psnr" else metrics.ssim
        return compute(sr, hr, self.rule, scale)


@dataclass(frozen=True)
class EvaluationProtocol:
    """How upscalers are evaluated on a folder of images.

    Attributes:
        name: as the command line spells it.
        title: whose protocol it is.
        outputs: what happens to float outputs: "float", clipping alone; "rounded" to 8 bits, as
            `tfsr upscale` writes files; "truncated" to 8 bits, as the authors' programs write them.
        metrics: what is computed; the first is plotted.
        lr_sides: default LR sides, or "LR-HR" pairs of sides; None if it has scales only.
        scales: default scales; None if it has pairs only.
        given: integer scales whose LR images come with the data set.
        degradations: default degradations, each with all columns.
    """

    name: str
    title: str
    outputs: Literal["float", "rounded", "truncated"]
    metrics: tuple[Metric, ...]
    lr_sides: tuple[str, ...] | None = None
    scales: tuple[float, ...] | None = None
    given: tuple[int, ...] = ()
    degradations: tuple[str, ...] = ("bicubic",)

    @property
    def how(self) -> str:
        """The protocol in a line, without the metrics."""
        return f"{self.name}: {self.title}; {_OUTPUTS[self.outputs]}"

    def specs(
        self,
        lr_sides: Sequence[str] = (),
        scales: Sequence[float] = (),
        degradation: str | None = None,
    ) -> list[DegradationSpec]:
        """Return the columns of a table.

        Args:
            lr_sides: LR sides, or "LR-HR" pairs, instead of the protocol's.
            scales: scales instead of the protocol's.
            degradation: of the LR images: any for `files`, one of the protocol's for others.

        Raises:
            InvalidArgument: if the protocol has no such columns, or there would be none.
        """
        if degradation and self.name != "files" and degradation not in self.degradations:
            raise InvalidArgument(
                f"of protocol '{self.name}' must be {' or '.join(self.degradations)}; received "
                f"{degradation!r}. Protocol 'files' takes any",
                "degradation",
            )
        if lr_sides and self.lr_sides is None:
            raise InvalidArgument(
                f"does not go with protocol '{self.name}': give scales", "lr_sides"
            )
        if scales and self.scales is None:
            raise InvalidArgument(
                f"does not go with protocol '{self.name}': give LR sides, such as 32-128", "scales"
            )
        if not lr_sides and not scales:
            lr_sides, scales = self.lr_sides or (), self.scales or ()
        if not lr_sides and not scales:
            raise InvalidArgument("or scales must be given, for example 128,64", "lr_sides")
        self._check_scales(scales)
        return [
            spec
            for name in ([degradation] if degradation else self.degradations)
            for spec in (
                *(_parse_sides(text, name) for text in lr_sides),
                *(DegradationSpec(scale=scale, degradation=name) for scale in scales),
            )
        ]

    def border_scale(self, spec: DegradationSpec) -> int | None:
        """Return the scale that sets the width of the border; None if none is cut."""
        return int(spec.scale or 1) if self._shaves else None

    @property
    def _shaves(self) -> bool:
        return any(metrics.PROTOCOLS[metric.rule].crops_border for metric in self.metrics)

    def _check_scales(self, scales: Sequence[float]) -> None:
        for scale in scales:
            if not 1 <= scale < math.inf:
                raise InvalidArgument(
                    f"must be at least 1 and finite; received {scale:g}", "scales"
                )
            if self._shaves and not float(scale).is_integer():
                raise InvalidArgument(
                    f"must be integers such as 2,3 for protocol '{self.name}', which cuts borders "
                    f"of the scale; received {scale:g}",
                    "scales",
                )


def get_protocol(name: str) -> EvaluationProtocol:
    """Return the protocol of a name.

    Raises:
        InvalidArgument: if there is none; the nearest is suggested.
    """
    check_choice("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def _parse_sides(text: str, degradation: str) -> DegradationSpec:
    try:
        lr, *hr = [int(part) for part in text.split("-")]
        if len(hr) > 1 or min(lr, *hr, lr) < 1:
            raise ValueError
    except ValueError:
        raise InvalidArgument(
            "must be sides in pixels, such as 128,64, or pairs of LR and HR, such as 32-128; "
            f"received {text!r}",
            "lr_sides",
        ) from None
    return DegradationSpec(lr, degradation=degradation, hr_size=hr[0] if hr else None)


_FILES = (Metric("psnr", "rgb"), Metric("psnr", "y"), Metric("ssim", "y"))
_ARASFSR = (Metric("psnr", "arasfsr-y"), Metric("ssim", "arasfsr-y"))

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        EvaluationProtocol(
            "files",
            "originals reduced and restored to their size, as 8-bit files",
            "rounded",
            _FILES,
            lr_sides=(),
            scales=(),
        ),
        EvaluationProtocol(
            "celebahq",
            "ARASFSR's bicubic table (arXiv 2511.16341): LR and HR are bicubic reductions of the "
            "original",
            "truncated",
            _ARASFSR,
            lr_sides=("64-96", "32-128", "32-256", "32-512", "96-256", "96-512", "64-512"),
        ),
        EvaluationProtocol(
            "celebahq-nn65",
            "ARASFSR's CelebAHQ-NN-JPEG table (arXiv 2511.16341): LR is the nearest-neighbour "
            "reduction of the original as JPEG of quality 65, HR its bicubic reduction",
            "truncated",
            _ARASFSR,
            lr_sides=("16-64", "16-128", "16-256", "48-128", "48-256"),
            degradations=("nn65",),
        ),
        EvaluationProtocol(
            "div2k",
            "DIV2K as LIIF measures it (arXiv 2012.09161)",
            "float",
            (Metric("psnr", "div2k"),),
            scales=(2, 3, 4, 6, 12, 18, 24, 30),
            given=(2, 3, 4),
        ),
        EvaluationProtocol(
            "benchmark",
            "Set5, Set14, B100, Urban100 as LIIF measures them (arXiv 2012.09161)",
            "float",
            (Metric("psnr", "benchmark-y"), Metric("ssim", "benchmark-y")),
            scales=(2, 3, 4, 6, 8),
            given=(2, 3, 4),
        ),
        EvaluationProtocol(
            "real",
            "originals degraded lightly, medium and heavily, as photographs are, and restored",
            "rounded",
            _FILES,
            lr_sides=("64", "128"),
            scales=(),
            degradations=("real-light", "real-medium", "real-heavy"),
        ),
        EvaluationProtocol(
            "x1-x30",
            "every integer scale from 1 to 30, LR made from the original cropped to a multiple",
            "float",
            (Metric("psnr", "rgb"),),
            scales=tuple(range(1, 31)),
        ),
    )
}
