"""A preset's metadata, checked and in one form, for `tfsr presets`."""

from __future__ import annotations

import os
from typing import Any

from tfsr.presets.metadata import as_mapping, gains
from tfsr.presets.store import check_files, read_metadata


def describe(preset: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what is known of a preset as plain data; None or empty where its metadata lacks it.

    Args:
        preset: a name, or a directory.

    Returns:
        "name", "purpose", "parameters", "licence", "steps", "commit", "clean" (the clean twin),
        "provenance" (texts), "quality" with "from" (LR sides or scales to "psnr", "bicubic" and
        "gain" in dB), and "files", each with "name", "bytes", "sha256" and "matches".

    Raises:
        PresetError: as `check_files`.
    """
    metadata = read_metadata(preset)
    provenance, quality, clean = (
        as_mapping(metadata.get("provenance")),
        as_mapping(metadata.get("quality")),
        metadata.get("clean"),
    )
    return {
        "name": str(metadata.get("name") or os.path.basename(os.fspath(preset))),
        "purpose": provenance.get("purpose"),
        "parameters": metadata.get("parameters"),
        "licence": provenance.get("licence"),
        "steps": metadata.get("steps"),
        "commit": metadata.get("commit"),
        "clean": clean if clean and isinstance(clean, str) else None,
        "provenance": provenance,
        "quality": {**quality, "from": gains(quality)},
        "files": [
            {"name": x.path.name, "bytes": x.bytes, "sha256": x.sha256, "matches": x.matches}
            for x in check_files(preset)
        ],
    }
