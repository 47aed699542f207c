"""The command line: one module a verb, and one place where errors become a line and a code."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from tfsr import __version__
from tfsr.cli import compare, convert, demo, evaluate, export, inspect, pack, train, upscale
from tfsr.errors import TfsrError

_INTERRUPTED = 130

app = typer.Typer(
    name="tfsr",
    help="Arbitrary-scale super-resolution: faces at any size.",
    pretty_exceptions_enable=False,
)
app.command("upscale")(upscale.upscale)
app.command("compare")(compare.compare)
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("pack")(pack.pack)
app.command("convert")(convert.convert)
app.add_typer(export.app, name="export")
app.command("inspect")(inspect.inspect)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Arbitrary-scale super-resolution: faces at any size."""
    if version:
        typer.echo(f"tfsr {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line: exit 0 if all went well, 1 if something failed, 2 for usage."""
    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False) or 0
        if code == _INTERRUPTED:  # What typer makes of Ctrl-C, without a word.
            fail("interrupted", _INTERRUPTED)
        sys.exit(code)
    except typer.TyperException as error:
        fail(error.format_message(), error.exit_code)
    except TfsrError as error:
        fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted", _INTERRUPTED)


def fail(line: str, code: int) -> None:
    """Print one line to the standard error and exit."""
    typer.echo(f"tfsr: {' '.join(line.split())}", err=True)
    sys.exit(code)
