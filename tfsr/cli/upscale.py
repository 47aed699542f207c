"""`tfsr upscale`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.interrupt import Interrupt
from tfsr.cli.options import parse_limits, parse_memory, parse_scale, parse_size, usage
from tfsr.cli.quiet import import_keras, silence
from tfsr.errors import InvalidArgument

if TYPE_CHECKING:
    import numpy as np

    from tfsr.inference.jobs import Existing


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Pictures, folders, quoted patterns.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="A file, or a folder.")
    ],
    scale: Annotated[
        str | None, typer.Option(metavar="S|SxS", help="Factor such as 3.7, or width x height.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Exact size, such as 237x173.")
    ] = None,
    fit: Annotated[
        str, typer.Option(metavar="HOW", help="To --size: stretch, cover (cuts), contain (fills).")
    ] = "stretch",
    long_side: Annotated[int | None, typer.Option(help="The longer side, in pixels.")] = None,
    short_side: Annotated[int | None, typer.Option(help="The shorter side, in pixels.")] = None,
    megapixels: Annotated[float | None, typer.Option(help="Width x height, in millions.")] = None,
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
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="png, jpg, webp, tiff and so on.")
    ] = None,
    quality: Annotated[int | None, typer.Option(help="1 to 100: JPEG, WebP, AVIF.")] = None,
    frames: Annotated[bool, typer.Option("--frames", help="All frames of animations.")] = False,
    recursive: Annotated[bool, typer.Option("--recursive", help="Folders in folders too.")] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave files that are there and whole.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
    json_lines: Annotated[bool, typer.Option("--json", help="A line of JSON a file.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of each, as JSON.")
    ] = None,
    max_input: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels read; 89 if not said.")
    ] = None,
    max_output: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels written; 400.")
    ] = None,
) -> None:
    """Upscale pictures to any size.

    Example: tfsr upscale face.jpg -o large.png --scale 3.7
    """
    from tfsr.cli.progress import Progress
    from tfsr.images.formats import suffix_of_format
    from tfsr.inference.batch import run_jobs
    from tfsr.inference.jobs import plan_jobs
    from tfsr.inference.report import check_report, write_report
    from tfsr.inference.request import Request, skip_done
    from tfsr.inference.sizes import TargetSize

    with usage():
        target = TargetSize(
            None if scale is None else parse_scale(scale),
            None if size is None else parse_size(size),
            *(long_side, short_side, megapixels, fit),
        )
        request = Request(target, quality, frames, **parse_limits(max_input, max_output))
        budget = parse_memory(memory)
        suffix = None if format_name is None else suffix_of_format(format_name)
        existing = _existing(skip_existing, overwrite)
        if preset is not None and model is not None:
            raise InvalidArgument("give --preset or --model, not both")
    # What Pillow has to say about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    if report is not None:
        check_report(report, inputs)
    jobs, outcomes = plan_jobs(inputs, output, recursive, suffix, existing)
    with Interrupt() as interrupt, Progress(len(jobs) + len(outcomes), json_lines) as progress:
        try:
            for outcome in outcomes:
                progress.tell(outcome)
            if skip_existing and jobs:
                import_keras()  # Which the sizes are reckoned with.
                jobs, done = skip_done(jobs, request)
                for outcome in done:
                    progress.tell(outcome)
            if jobs:
                upscaler = _upscaler(preset, model, budget, precision)
                with closing(run_jobs(jobs, request, upscaler)) as running:
                    for outcome in running:
                        progress.tell(outcome)
                        interrupt.check()
        finally:
            if report is not None:
                write_report(report, progress.outcomes)
    if any(outcome.error is not None for outcome in progress.outcomes):
        sys.exit(1)


def _existing(skip_existing: bool, overwrite: bool) -> Existing:
    if skip_existing and overwrite:
        raise InvalidArgument("give --skip-existing or --overwrite, not both")
    if skip_existing:
        return "skip"
    return "overwrite" if overwrite else "refuse"


def _upscaler(
    preset: str | None, model: Path | None, memory: int, precision: str
) -> Callable[[np.ndarray, tuple[int, int]], np.ndarray]:
    """What upscales: a preset, or an exported file or directory."""
    import_keras()
    if model is None:
        from tfsr.inference.upscaler import Upscaler
        from tfsr.presets import DEFAULT, from_preset

        loaded = from_preset(preset or DEFAULT)
        with usage():
            return Upscaler(loaded, memory, precision)
    with silence():
        if model.is_dir():
            from tfsr.inference.saved_model import SavedModelUpscaler

            return SavedModelUpscaler(model)
        from tfsr.inference.tflite import TFLiteUpscaler

        return TFLiteUpscaler(model)
