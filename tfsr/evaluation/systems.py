"""What is measured: presets, runs, exported files, and Pillow's bicubic."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr.errors import PresetError
from tfsr.evaluation.raw_output import FloatSavedModel, FloatTFLite, FloatUpscaler
from tfsr.evaluation.reduction import Size
from tfsr.evaluation.restoration import bicubic_upscale
from tfsr.presets import from_preset, names

BICUBIC = "bicubic"
"""The name of the baseline among presets' names."""


@dataclass(frozen=True)
class System:
    """Something that upscales, and has a row in a table.

    Attributes:
        name: of the row.
        kind: what it is, in words.
        upscale: (h, w, 3) uint8 and (H, W) to (H, W, 3): float32 in [0, 1], unclipped, or uint8
            where it can answer in nothing else.
        rounded: the same to (H, W, 3) uint8, as files hold it.
        misfit: (h, w) and (H, W) to why it has no output there, or None; a file of fixed size has
            one pair only.
    """

    name: str
    kind: str
    upscale: Callable[[np.ndarray, Size], np.ndarray]
    rounded: Callable[[np.ndarray, Size], np.ndarray]
    unsupported_reason: Callable[[Size, Size], str | None] = lambda lr_size, size: None


def bicubic() -> System:
    """The tables' baseline: Pillow's bicubic filter, which answers in 8 bits."""
    kind = "Pillow's bicubic filter, which answers in 8 bits"
    return System("Bicubic", kind, bicubic_upscale, bicubic_upscale)


def load(specs: Sequence[str]) -> list[System]:
    """The baseline, then what was asked for, each once, in that order.

    Args:
        specs: for each "bicubic"; a preset's name or directory; a run's directory, whose best
            checkpoint is taken; one of these with "+" after it, for its self-ensemble, which is
            how papers write it; a .tflite file; or a directory of a SavedModel.

    Raises:
        PresetError, ExportError: if there is nothing of the kind, or it is damaged.
    """
    asked = [spec for spec in dict.fromkeys(specs) if spec.casefold() != BICUBIC]
    short = [Path(spec).name for spec in asked]
    rows = [
        name if name and short.count(name) == 1 else spec
        for name, spec in zip(short, asked, strict=True)
    ]
    return [bicubic(), *(_load(spec, row) for spec, row in zip(asked, rows, strict=True))]


def _load(spec: str, row: str) -> System:
    path = Path(spec)
    if spec.endswith("+") and not os.path.exists(path):
        return _of_preset(spec[:-1], row, "the self-ensemble of a preset", self_ensemble=True)
    if spec in names():
        return _of_preset(spec, row, "preset")
    if path.suffix.lower() == ".tflite":
        return _of_tflite(path, row)
    if os.path.isfile(path / "metadata.json"):
        return _of_preset(spec, row, "preset")
    if os.path.isfile(path / "best" / "metadata.json"):
        return _of_preset(spec, row, "best checkpoint of a run")
    if os.path.isfile(path / "saved_model.pb") or list(path.glob("*/saved_model.pb")):
        return _of_saved_model(path, row)
    if os.path.isdir(path):
        raise PresetError(
            f"{path}: is no preset, no run with a best checkpoint and no SavedModel: it has no "
            "metadata.json, best/ or saved_model.pb"
        )
    if os.path.isfile(path):
        raise PresetError(f"{path}: is no preset; of files, .tflite is measured")
    return _of_preset(spec, row, "preset")  # Says that it is unknown, and what is near.


def _of_preset(spec: str, row: str, kind: str, self_ensemble: bool = False) -> System:
    upscaler = FloatUpscaler(from_preset(spec), self_ensemble=self_ensemble)
    return System(row, kind, upscaler, upscaler.rounded)


def _of_tflite(path: Path, row: str) -> System:
    upscaler = FloatTFLite(path)
    # Run once: what cannot run is told now, and the runtime greets now and not among the figures.
    black = np.zeros((*upscaler.metadata["lr_size"], 3), np.uint8)
    for size in upscaler.metadata["sizes"]:
        upscaler(black, tuple(size))
    kind = "TFLite file" + (", which answers in 8 bits" if upscaler.rounds else "")
    return System(row, kind, upscaler, upscaler.rounded, upscaler.unsupported_reason)


def _of_saved_model(path: Path, row: str) -> System:
    upscaler = FloatSavedModel(path)
    return System(row, "SavedModel", upscaler, upscaler.rounded)
