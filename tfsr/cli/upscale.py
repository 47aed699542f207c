"""`tfsr upscale`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.quiet import import_keras, silence
from tfsr.errors import InvalidArgument

if TYPE_CHECKING:
    import numpy as np


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
    model: Annotated[
        Path | None, typer.Option(metavar="PATH", help="An exported .tflite or SavedModel instead.")
    ] = None,
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
        upscaler = _upscaler(preset, model, budget, precision)
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


def _upscaler(
    preset: str | None, model: Path | None, memory: int, precision: str
) -> Callable[[np.ndarray, tuple[int, int]], np.ndarray]:
    """What upscales: a preset, or an exported file or directory."""
    import_keras()
    if model is None:
        from tfsr.inference.upscaler import Upscaler
        from tfsr.presets import DEFAULT, from_preset

        return Upscaler(from_preset(preset or DEFAULT), memory, precision)
    if preset is not None:
        raise InvalidArgument("give --preset or --model, not both")
    with silence():
        if model.is_dir():
            from tfsr.inference.saved_model import SavedModelUpscaler

            return SavedModelUpscaler(model)
        from tfsr.inference.tflite import TFLiteUpscaler

        return TFLiteUpscaler(model)


def _line(error: str | None) -> str:
    """One line, whatever the file's name holds."""
    return f"tfsr: {' '.join((error or '').split())}"
