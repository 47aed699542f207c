"""Lines for a terminal."""

from __future__ import annotations

import typer


def one_line(text: str) -> str:
    """One line, whatever a file's name holds: its control sequences are shown, not obeyed."""
    return "".join(map(_visible, " ".join(text.split())))


def echo(line: object) -> None:
    """Print one line to the standard output."""
    typer.echo(one_line(str(line)))


def _visible(sign: str) -> str:
    # Surrogates are bytes that are no text, which the streams show.
    if sign.isprintable() or "\ud800" <= sign <= "\udfff":
        return sign
    return sign.encode("unicode_escape").decode()
