"""Trained models by name, with their provenance."""

from tfsr.presets.store import (
    DEFAULT,
    check_files,
    check_new,
    from_preset,
    names,
    read_metadata,
    save_preset,
)

__all__ = [
    "DEFAULT",
    "check_files",
    "check_new",
    "from_preset",
    "names",
    "read_metadata",
    "save_preset",
]
