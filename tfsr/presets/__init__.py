"""Trained models by name, with their provenance."""

from tfsr.presets.store import DEFAULT, from_preset, names, read_metadata, save_preset

__all__ = ["DEFAULT", "from_preset", "names", "read_metadata", "save_preset"]
