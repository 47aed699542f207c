"""`tfsr evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli import options
from tfsr.cli.output_files import check_not_overwritten, check_outputs
from tfsr.cli.progress_bar import progress_bar
from tfsr.cli.startup import import_keras, silence
from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.presets import DEFAULT

if TYPE_CHECKING:
    from tfsr.evaluation.table import Table


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
    overwrite: options.Overwrite = False,
) -> None:
    """Evaluate how well reduced images are restored, against bicubic.

    Example: tfsr evaluate --preset my-preset --data faces/test --lr-sides 128,64 -o table.md
    """
    import_keras()
    from tfsr.evaluation import load_upscalers, means_as_markdown
    from tfsr.evaluation.comparison_grid import ComparisonGrid
    from tfsr.evaluation.dataset import make_columns
    from tfsr.evaluation.protocols import get_protocol
    from tfsr.evaluation.table import evaluate_columns
    from tfsr.images import write

    rule = get_protocol(protocol)
    specs = rule.specs(lr_sides.split(",") if lr_sides else (), scales or (), degradation)
    files = [path for path in (*(output or ()), plot, grid) if path is not None]
    _check_files(output or [], plot, grid)
    check_outputs(files, overwrite)
    with silence():
        upscalers = load_upscalers([*(preset or ()), *(others or ())] or [DEFAULT], strengths or ())
    columns = make_columns(data, rule, specs)
    pairs = [pair for column in columns for pair in column.pairs]
    check_not_overwritten([path for pair in pairs for path in (pair.original, pair.lr)], files)
    images = ComparisonGrid()
    with progress_bar("evaluating", len(pairs)) as advance:
        table = evaluate_columns(
            *(rule, str(data), columns, upscalers),
            on_image=advance,
            on_sample=images.add if grid is not None else lambda sample: None,
        )
    _write_files(table, output or [], plot)
    if grid is not None:
        write(grid, images.render(table))
    typer.echo(means_as_markdown(table), nl=False)


def _check_files(tables: list[Path], plot: Path | None, grid: Path | None) -> None:
    from tfsr.evaluation import FORMATS
    from tfsr.evaluation.scale_plot import check_plot
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


def _write_files(table: Table, tables: list[Path], plot: Path | None) -> None:
    from tfsr.evaluation import FORMATS, plot_scales
    from tfsr.images.atomic import write_atomically

    contents = {
        path: FORMATS[path.suffix.lower()](table).encode(errors="backslashreplace")
        for path in tables
    }
    if plot is not None:
        contents[plot] = plot_scales(table, plot.suffix.lower())
    for path, content in contents.items():
        try:
            write_atomically(str(path), content)
        except OSError as error:
            raise InvalidArgument(f"{path}: cannot be written: {error.strerror}") from error
