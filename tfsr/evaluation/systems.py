"""What is measured: upscalers, each with the name of its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr.evaluation.reduction import Size
from tfsr.inference import BicubicUpscaler, Upscaler, load_upscaler
from tfsr.inference.loading import BICUBIC


@dataclass(frozen=True)
class System:
    """An upscaler that has a row in a table.

    Attributes:
        name: of the row.
        upscaler: the upscaler.
    """

    name: str
    upscaler: Upscaler

    @property
    def kind(self) -> str:
        """What it is, in words."""
        rounds = ", which rounds to 8 bits" if self.upscaler.rounds else ""
        return self.upscaler.kind + rounds

    def upscale(self, image: np.ndarray, size: Size) -> np.ndarray:
        """(h, w, 3) uint8 to (H, W, 3): float32, or uint8 if the upscaler rounds by itself."""
        upscaler = self.upscaler
        return upscaler(image, size) if upscaler.rounds else upscaler.raw_output(image, size)


def load(specs: Sequence[str], strengths: Sequence[float] = ()) -> list[System]:
    """The baseline, then what was asked for, each once, in that order.

    Args:
        specs: what `tfsr.load_upscaler` takes.
        strengths: in [0, 1], of presets: a row for each. Defaults to each preset as it is.

    Raises:
        PresetError, ExportError, InvalidArgument: as `tfsr.load_upscaler`.
    """
    asked = [spec for spec in dict.fromkeys(specs) if spec.casefold() != BICUBIC]
    short = [Path(spec).name for spec in asked]
    systems = [System("Bicubic", BicubicUpscaler())]
    for spec, name in zip(asked, short, strict=True):
        row = name if name and short.count(name) == 1 else spec
        for strength in strengths or (None,):
            label = row if strength is None else f"{row}, strength {strength:g}"
            systems.append(System(label, load_upscaler(spec, strength=strength)))
    return systems
