"""Trained models by name, with their provenance."""

from tfsr.presets.loading import check_same_architecture, check_strength, from_preset, interpolate
from tfsr.presets.store import DEFAULT, check_files, check_new, names, read_metadata, save_preset
from tfsr.presets.twins import clean_twin, has_twin, reference

__all__ = [
    "DEFAULT",
    "check_files",
    "check_new",
    "check_same_architecture",
    "check_strength",
    "clean_twin",
    "from_preset",
    "has_twin",
    "interpolate",
    "names",
    "read_metadata",
    "reference",
    "save_preset",
]
