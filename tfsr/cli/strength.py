"""`--strength`: how much of a robust preset is mixed into its clean twin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfsr.errors import InvalidArgument, PresetError
from tfsr.presets import check_strength, clean_twin

if TYPE_CHECKING:
    from tfsr.evaluation import System

OPTION = "--strength"


def parse_strengths(text: str) -> list[float]:
    """Strengths of a text such as 0,0.5,1, each once.

    Raises:
        InvalidArgument: if it is not numbers in [0, 1] with commas between them.
    """
    try:
        strengths = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidArgument(
            f"{OPTION} must be numbers from 0 to 1, such as 0,0.5,1; received {text!r}"
        ) from error
    for strength in strengths:
        check_strength(strength, OPTION)
    return list(dict.fromkeys(strengths))


def with_strength(name: str, strength: float | None) -> str:
    """The label of a preset at a strength, such as "faces, strength 0.5"."""
    return name if strength is None else f"{name}, strength {strength:g}"


def load_systems(specs: Sequence[str], strengths: Sequence[float]) -> list[System]:
    """The baseline, then each preset at each strength.

    Args:
        specs: as of `tfsr.evaluation.load`. With strengths, all must be presets with a clean twin.
        strengths: in [0, 1]. Empty: each as it is.

    Raises:
        PresetError: if a preset takes no strength, or as `tfsr.evaluation.load`.
    """
    from tfsr.evaluation import System, load
    from tfsr.evaluation.raw_output import FloatUpscaler

    if not strengths:
        return load(specs)
    systems = load([])
    for spec, row in _rows(specs):
        preset = spec[:-1] if spec.endswith("+") and not os.path.exists(spec) else spec
        if preset.lower().endswith(".tflite"):
            raise PresetError(f"{spec}: takes no strength; {OPTION} goes with presets")
        twin = clean_twin(preset)
        for strength in strengths:
            upscaler = FloatUpscaler(preset, self_ensemble=preset != spec, strength=strength)
            kind = "the self-ensemble of a preset" if preset != spec else "preset"
            kind += f", its weights interpolated with those of {os.path.basename(twin)}"
            label = with_strength(row, strength)
            systems.append(System(label, kind, upscaler, upscaler.rounded))
    return systems


def _rows(specs: Sequence[str]) -> list[tuple[str, str]]:
    """Each specification once, with the name of its row: short where that is unique."""
    from tfsr.evaluation.systems import BICUBIC

    asked = [spec for spec in dict.fromkeys(specs) if spec.casefold() != BICUBIC]
    short = [os.path.basename(os.path.normpath(spec)) for spec in asked]
    return [
        (spec, name if short.count(name) == 1 else spec)
        for spec, name in zip(asked, short, strict=True)
    ]
