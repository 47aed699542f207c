"""The command line, and a preset for it."""

from command_line import preset, tfsr  # noqa: F401
