"""Trained models by name, with their provenance."""

from typing import TYPE_CHECKING

from tfsr.hints import of_module
from tfsr.presets.preset_model import check_same_architecture as check_same_architecture
from tfsr.presets.preset_model import check_strength as check_strength
from tfsr.presets.preset_model import from_preset, interpolate
from tfsr.presets.store import DEFAULT, check_files, names, read_metadata, save_preset
from tfsr.presets.store import check_new as check_new
from tfsr.presets.twins import clean_twin as clean_twin
from tfsr.presets.twins import twin_reference as twin_reference

__all__ = [
    "DEFAULT",
    "check_files",
    "from_preset",
    "interpolate",
    "names",
    "read_metadata",
    "save_preset",
]

if not TYPE_CHECKING:  # To type checkers, every name would exist.
    __getattr__ = of_module(__name__)
