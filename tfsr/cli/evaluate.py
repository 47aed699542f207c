"""`tfsr evaluate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.completion import preset_names
from tfsr.cli.options import parse_scales, usage
from tfsr.cli.strength import load_systems, parse_strengths
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import InvalidArgument, did_you_mean

if TYPE_CHECKING:
    from tfsr.evaluation import Strip, Table
    from tfsr.evaluation.dataset import Cell


def evaluate(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Original images, or a data set: HR, LR_bicubic.")
    ],
    preset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="P...",
            help="Presets, runs, .tflite files, SavedModels, bicubic.",
            autocompletion=preset_names,
        ),
    ] = None,
    others: Annotated[
        list[str] | None, typer.Argument(metavar="[P...]", help="More of what --preset takes.")
    ] = None,
    strength: Annotated[
        str | None,
        typer.Option(metavar="0..1,...", help="A row for each: 0 is the clean twin."),
    ] = None,
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help="Whose evaluation; docs/evaluation.md has them.")
    ] = "files",
    lr: Annotated[
        str, typer.Option(metavar="N,...", help="LR sides, or pairs of sides, such as 64,32-128.")
    ] = "",
    scale: Annotated[str, typer.Option(metavar="S,...", help="Or scales, such as 2,3.")] = "",
    degradation: Annotated[
        str | None, typer.Option(help="Such as nn65 or real-medium, with protocol files or real.")
    ] = None,
    out: Annotated[
        list[Path] | None, typer.Option(metavar="TABLE", help="To write: .md, .csv or .json.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PSNR against scale: .png, .svg or .pdf.")
    ] = None,
    strip: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Images side by side: .png, .jpg, .webp.")
    ] = None,
) -> None:
    """Measure how well reduced images are restored, against bicubic.

    Example: tfsr evaluate --preset my-preset --data faces/test --lr 128,64 --out table.md
    """
    with usage():
        strengths = [] if strength is None else parse_strengths(strength)
    import_keras()
    from rich.console import Console
    from rich.progress import Progress

    from tfsr.evaluation import Strip, cells, means_as_markdown, measure, protocols
    from tfsr.presets import DEFAULT

    rule = protocols.get(protocol)
    reductions = rule.reductions(
        lr.split(",") if lr else (), parse_scales(scale) if scale else (), degradation
    )
    _check_files(out or [], plot, strip)
    with silence():
        systems = load_systems([*(preset or []), *(others or [])] or [DEFAULT], strengths)
    columns = cells(data, rule, reductions)
    _check_apart([*(out or []), plot, strip], columns)
    images = Strip()
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        total = sum(len(column.pairs) for column in columns)
        task = progress.add_task("measuring", total=total)
        table = measure(
            rule,
            str(data),
            columns,
            systems,
            advance=lambda: progress.advance(task),
            look=images.look if strip is not None else lambda sample: None,
        )
    _write_files(table, out or [], plot, strip, images)
    typer.echo(means_as_markdown(table), nl=False)


def _check_files(out: list[Path], plot: Path | None, strip: Path | None) -> None:
    """Refuse what could not be written now, not when all is measured."""
    from tfsr.evaluation import FORMATS, check_plot
    from tfsr.images import check_writable_format

    for path in out:
        if path.suffix.lower() not in FORMATS:
            raise InvalidArgument(
                f"{path}: a table's suffix must be one of {', '.join(FORMATS)}; "
                f"got {path.suffix!r}.{did_you_mean(path.suffix, FORMATS)}"
            )
    if plot is not None:
        check_plot(plot)
    if strip is not None:
        check_writable_format(strip)
    files = [path for path in (*out, plot, strip) if path is not None]
    for path in files:
        if [os.path.realpath(other) for other in files].count(os.path.realpath(path)) > 1:
            raise InvalidArgument(f"{path}: is to be written twice; give each file a name")
        if os.path.isdir(path):
            raise InvalidArgument(f"{path}: is a folder; name a file in it")
        if not os.access(path.parent, os.W_OK | os.X_OK) or not os.path.isdir(path.parent):
            raise InvalidArgument(
                f"{path}: cannot be written: its folder must exist and be writable"
            )


def _check_apart(files: list[Path | None], columns: list[Cell]) -> None:
    """Refuse to write over an image that is measured."""
    pairs = [pair for column in columns for pair in column.pairs]
    measured = {os.path.realpath(pair.original) for pair in pairs}
    measured |= {os.path.realpath(pair.lr) for pair in pairs if pair.lr is not None}
    for path in files:
        if path is not None and os.path.realpath(path) in measured:
            raise InvalidArgument(f"{path}: would be written over an image that is measured")


def _write_files(
    table: Table, out: list[Path], plot: Path | None, strip: Path | None, images: Strip
) -> None:
    from tfsr.evaluation import FORMATS, draw_plot
    from tfsr.images import write
    from tfsr.images.atomic import write_atomically

    contents = {
        path: FORMATS[path.suffix.lower()](table).encode(errors="backslashreplace") for path in out
    }
    if plot is not None:
        contents[plot] = draw_plot(table, plot.suffix.lower())
    for path, content in contents.items():
        try:
            write_atomically(str(path), content)
        except OSError as error:
            raise InvalidArgument(f"{path}: cannot be written: {error.strerror}") from error
    if strip is not None:
        write(strip, images.draw(table))
