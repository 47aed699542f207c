"""The command line, for the commands that documents show."""

from command_line import tfsr  # noqa: F401
