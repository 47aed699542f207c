"""`tfsr evaluate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli import options
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.presets import DEFAULT

if TYPE_CHECKING:
    from tfsr.evaluation import Strip, Table
    from tfsr.evaluation.dataset import Cell


def evaluate(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="HR images, or a data set: HR, LR_bicubic.")
    ],
    preset: options.Presets = None,
    others: options.MorePresets = None,
    strengths: options.Strengths = None,
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help="One of those in docs/evaluation.md.")
    ] = "files",
    lr_sides: Annotated[
        str, typer.Option(metavar="N,...", help="LR sides, or pairs of sides, such as 64,32-128.")
    ] = "",
    scales: options.Scales = None,
    degradation: Annotated[
        str | None, typer.Option(help="Such as nn65 or real-medium, with protocol files or real.")
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="TABLE", help="To write: .md, .csv or .json."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PSNR against scale: .png, .svg or .pdf.")
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Images side by side: .png, .jpg, .webp.")
    ] = None,
) -> None:
    """Evaluate how well reduced images are restored, against bicubic.

    Example: tfsr evaluate --preset my-preset --data faces/test --lr-sides 128,64 -o table.md
    """
    import_keras()
    from rich.console import Console
    from rich.progress import Progress

    from tfsr.evaluation import Strip, cells, load, means_as_markdown, measure, protocols

    rule = protocols.get(protocol)
    sides = lr_sides.split(",") if lr_sides else ()
    reductions = rule.reductions(sides, scales or (), degradation)
    tables = output or []
    _check_files(tables, plot, grid)
    with silence():
        systems = load([*(preset or ()), *(others or ())] or [DEFAULT], strengths or ())
    columns = cells(data, rule, reductions)
    _check_apart([*tables, plot, grid], columns)
    images = Strip()
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        total = sum(len(column.pairs) for column in columns)
        task = progress.add_task("evaluating", total=total)
        table = measure(
            *(rule, str(data), columns, systems),
            advance=lambda: progress.advance(task),
            look=images.look if grid is not None else lambda sample: None,
        )
    _write_files(table, tables, plot, grid, images)
    typer.echo(means_as_markdown(table), nl=False)


def _check_files(tables: list[Path], plot: Path | None, grid: Path | None) -> None:
    """Refuse before any work what could not be written after it."""
    from tfsr.evaluation import FORMATS, check_plot
    from tfsr.images import check_writable_format

    for path in tables:
        if path.suffix.lower() not in FORMATS:
            raise InvalidArgument(
                f"{path}: a table's suffix must be one of {', '.join(FORMATS)}; "
                f"received {path.suffix!r}.{did_you_mean(path.suffix, FORMATS)}"
            )
    if plot is not None:
        check_plot(plot)
    if grid is not None:
        check_writable_format(grid)
    files = [path for path in (*tables, plot, grid) if path is not None]
    for path in files:
        if [os.path.realpath(other) for other in files].count(os.path.realpath(path)) > 1:
            raise InvalidArgument(f"{path}: would be written twice; give each file a name")
        if os.path.isdir(path):
            raise InvalidArgument(f"{path}: is a folder; name a file in it")
        if not os.access(path.parent, os.W_OK | os.X_OK) or not os.path.isdir(path.parent):
            raise InvalidArgument(
                f"{path}: cannot be written: its folder must exist and be writable"
            )


def _check_apart(files: list[Path | None], columns: list[Cell]) -> None:
    """Refuse to overwrite an image that is evaluated."""
    pairs = [pair for column in columns for pair in column.pairs]
    images = {os.path.realpath(pair.original) for pair in pairs}
    images |= {os.path.realpath(pair.lr) for pair in pairs if pair.lr is not None}
    for path in files:
        if path is not None and os.path.realpath(path) in images:
            raise InvalidArgument(f"{path}: would overwrite an image that is evaluated")


def _write_files(
    table: Table, tables: list[Path], plot: Path | None, grid: Path | None, images: Strip
) -> None:
    from tfsr.evaluation import FORMATS, draw_plot
    from tfsr.images import write
    from tfsr.images.atomic import write_atomically

    contents = {
        path: FORMATS[path.suffix.lower()](table).encode(errors="backslashreplace")
        for path in tables
    }
    if plot is not None:
        contents[plot] = draw_plot(table, plot.suffix.lower())
    for path, content in contents.items():
        try:
            write_atomically(str(path), content)
        except OSError as error:
            raise InvalidArgument(f"{path}: cannot be written: {error.strerror}") from error
    if grid is not None:
        write(grid, images.draw(table))
