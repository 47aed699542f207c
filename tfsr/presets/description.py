"""What a preset says of itself, as plain data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tfsr.presets.store import check_files, read_metadata
from tfsr.presets.twins import described_twin


def describe(preset: str | os.PathLike[str]) -> dict[str, Any]:
    """What is known of a preset; None or empty where its metadata does not say it.

    Args:
        preset: a name, or a directory.

    Returns:
        "name", "purpose", "parameters", "licence", "steps" and "commit"; "clean", the clean twin
        of a preset that takes a strength, as its metadata name it; "provenance", a mapping of
        texts; "quality", with "from", a mapping of LR sides or scales to "psnr", "bicubic" and
        "gain", all in dB; and "files", each with "name", "bytes", "sha256" and "matches".

    Raises:
        PresetError: as `check_files`.
    """
    metadata = read_metadata(preset)
    provenance = _mapping(metadata.get("provenance"))
    quality = _mapping(metadata.get("quality"))
    return {
        "name": str(metadata.get("name") or os.path.basename(os.fspath(preset))),
        "purpose": provenance.get("purpose"),
        "parameters": metadata.get("parameters"),
        "licence": provenance.get("licence"),
        "steps": metadata.get("steps"),
        "commit": metadata.get("commit"),
        "clean": described_twin(metadata),
        "provenance": provenance,
        "quality": {**quality, "from": _gains(_mapping(quality.get("from")))},
        "files": [
            {
                "name": file.path.name,
                "bytes": file.bytes,
                "sha256": file.sha256,
                "matches": file.matches,
            }
            for file in check_files(preset)
        ],
    }


def _gains(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Each size's figures, with the gain over bicubic."""
    output = {}
    for size, figures in measured.items():
        psnr, bicubic = (_mapping(figures).get(key) for key in ("psnr", "bicubic"))
        if isinstance(psnr, int | float) and isinstance(bicubic, int | float):
            output[size] = {"psnr": psnr, "bicubic": bicubic, "gain": round(psnr - bicubic, 3)}
    return output


def _mapping(value: Any) -> dict[str, Any]:
    """The value, if it is a mapping: a preset that others made may say anything."""
    return dict(value) if isinstance(value, Mapping) else {}
