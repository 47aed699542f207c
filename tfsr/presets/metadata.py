"""What a preset's metadata says, which may be anything in presets from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def gains(quality: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The figures of each size of the measured quality, with the gain over bicubic."""
    found = {}
    for size, figures in as_mapping(quality.get("from")).items():
        psnr, bicubic = (as_mapping(figures).get(key) for key in ("psnr", "bicubic"))
        if isinstance(psnr, int | float) and isinstance(bicubic, int | float):
            found[size] = {"psnr": psnr, "bicubic": bicubic, "gain": round(psnr - bicubic, 3)}
    return found


def as_mapping(value: Any) -> dict[str, Any]:
    """A mapping as a dictionary; anything else as an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}
