"""What the shell completes by itself."""

from __future__ import annotations


def preset_names(incomplete: str) -> list[str]:
    """The presets that ship whose names begin so. It imports no TensorFlow: a key was pressed."""
    from tfsr.presets import names

    return [name for name in names() if name.startswith(incomplete)]
