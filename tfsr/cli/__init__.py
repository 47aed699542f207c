"""The command line: one module a verb, and one place where errors become a line and a code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from tfsr import __version__
from tfsr.cli import (
    compare,
    convert,
    demo,
    doctor,
    evaluate,
    export,
    faces,
    inspect,
    presets,
    queue,
    save_preset,
    train,
    upscale,
)
from tfsr.cli.interrupt import InterruptedExit, InterruptWatch, exit_code, interruptions
from tfsr.cli.options import message_of
from tfsr.cli.printing import one_line
from tfsr.cli.startup import choose_backend
from tfsr.errors import TfsrError, did_you_mean
from tfsr.inference.silence import own_lines_only

_INTERRUPTED = 130
# What training and upscaling do without, under JAX.
_OPTIONAL = {"tensorflow": "TensorFlow", "ai_edge_litert": "LiteRT"}


class TfsrGroup(TyperGroup):
    """The verbs, with a help of no more lines than a terminal has."""

    def get_params(self, ctx: Any) -> Any:
        """As typer has them; those of the shell's completion are not shown."""
        params: Any = super().get_params(ctx)
        for param in params:
            if param.name in ("install_completion", "show_completion"):
                param.hidden = True
        return params


class VerbCommand(TyperCommand):
    """A verb whose help does not tell of --help, to have the line for another option."""

    def get_help_option(self, ctx: Any) -> Any:
        """As typer has it, hidden."""
        option: Any = super().get_help_option(ctx)
        if option is not None:
            option.hidden = True
        return option


app = typer.Typer(
    name="tfsr",
    cls=TfsrGroup,
    help="Super-resolution to any size. Example: tfsr upscale face.jpg -o large.png --scale 3.7",
    pretty_exceptions_enable=False,
)
app.command("upscale", cls=VerbCommand, short_help="Upscale images to any size.")(upscale.upscale)
app.command("compare")(compare.compare)
app.command("faces")(faces.faces)
app.command("demo")(demo.demo)
app.command("train", short_help="Train a recipe.")(train.train)
app.add_typer(queue.app, name="queue")
app.command("evaluate")(evaluate.evaluate)
app.command("save-preset")(save_preset.save_preset)
app.command("convert")(convert.convert)
app.add_typer(export.app, name="export")
app.command("inspect")(inspect.inspect)
app.add_typer(presets.app, name="presets")
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Handle the options that stand before any verb."""
    if version:
        typer.echo(f"tfsr {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line: exit 0 if all went well, 1 if something failed, 2 for usage."""
    _open_streams()
    with interruptions() as watch, own_lines_only():
        _run(watch)


def _run(watch: InterruptWatch) -> None:
    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        choose_backend()
        code = app(prog_name="tfsr", standalone_mode=False) or 0
        if code == _INTERRUPTED:  # What typer makes of Ctrl-C, without a line.
            raise KeyboardInterrupt
    except BaseException as error:
        # Inside a library, an interrupt may become any other error.
        if watch.end() or isinstance(error, KeyboardInterrupt | typer.Abort):
            _end_interrupted()
        _fail_by(error)
    sys.exit(code)


def _fail_by(error: BaseException) -> NoReturn:
    """End by an error in one line; raise what nobody expected."""
    if isinstance(error, typer.TyperException):
        fail(_in_words(error), error.exit_code)
    if isinstance(error, TfsrError):
        fail(message_of(error), 1)
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package in _OPTIONAL:
            fail(
                f"this needs {_OPTIONAL[package]}, which is not installed: pip install "
                f"{package.replace('_', '-')}",
                1,
            )
    elif isinstance(error, OSError):
        # Errors of files are handled where they are used; mostly this is a full or closed output.
        what = error.filename or "the output"
        fail(f"{what}: cannot be read or written: {error.strerror or error}", 1)
    raise error


def _open_streams() -> None:
    """Redirect closed streams to nowhere: else an image would be opened in their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # Takes the lowest number that is free.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")


def fail(line: str, code: int) -> NoReturn:
    """Print one line to the standard error and exit."""
    with contextlib.suppress(OSError):
        typer.echo(f"tfsr: {one_line(line)}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        # What could not be written would be tried, and reported, once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _end_interrupted() -> NoReturn:
    with contextlib.suppress(SystemExit):
        fail("interrupted", exit_code())
    raise InterruptedExit(exit_code())


def _in_words(error: typer.TyperException) -> str:
    """The error's line; a mistyped option or verb with the nearest one."""
    known = getattr(error, "possibilities", None)
    if not known:
        return error.format_message()
    return f"{error.message}.{did_you_mean(getattr(error, 'option_name', ''), known)}"
