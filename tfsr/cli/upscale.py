"""`tfsr upscale`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.quiet import import_keras


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Pictures, or folders of them.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="A file, or a folder.")
    ],
    scale: Annotated[float | None, typer.Option(help="Factor on both sides, such as 3.7.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Exact size, such as 237x173.")
    ] = None,
    long_side: Annotated[int | None, typer.Option(help="The longer side, in pixels.")] = None,
    preset: Annotated[str | None, typer.Option(help="A preset's name, or its directory.")] = None,
    memory: Annotated[
        str,
        typer.Option(metavar="SIZE", help="To work in, such as 512MiB: large pictures in tiles."),
    ] = "2GiB",
    precision: Annotated[
        str,
        typer.Option(metavar="float32|bfloat16", help="The second is faster where there is it."),
    ] = "float32",
) -> None:
    """Upscale pictures to any size.

    Example: tfsr upscale face.jpg -o large.png --scale 3.7
    """
    from rich.console import Console
    from rich.progress import Progress

    from tfsr.inference.batch import plan_jobs, run_jobs
    from tfsr.inference.sizes import TargetSize, parse_memory, parse_size

    target = TargetSize(scale, parse_size(size) if size is not None else None, long_side)
    budget = parse_memory(memory)
    jobs, outcomes = plan_jobs(inputs, output)
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    for outcome in outcomes:
        errors.print(_line(outcome.error))
    failed = len(outcomes)
    if jobs:
        import_keras()
        from tfsr.inference.upscaler import Upscaler
        from tfsr.presets import DEFAULT, from_preset

        upscaler = Upscaler(from_preset(preset or DEFAULT), budget, precision)
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task("upscaling", total=len(jobs))
            for outcome in run_jobs(jobs, target, upscaler):
                progress.advance(task)
                if outcome.error is not None:
                    failed += 1
                    errors.print(_line(outcome.error))
                    continue
                (h, w), (height, width) = outcome.lr_size, outcome.size
                typer.echo(
                    f"{outcome.target}: {w}x{h} to {width}x{height}, {outcome.seconds:.1f} s"
                )
    if failed:
        sys.exit(1)


def _line(error: str | None) -> str:
    """One line, whatever the file's name holds."""
    return f"tfsr: {' '.join((error or '').split())}"
