"""`tfsr upscale`."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.completion import preset_names
from tfsr.cli.device import Device
from tfsr.cli.interrupt import Interrupt
from tfsr.cli.options import (
    parse_box,
    parse_eyes,
    parse_limits,
    parse_memory,
    parse_scale,
    parse_size,
    usage,
)
from tfsr.cli.strength import OPTION
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import InvalidArgument
from tfsr.presets import check_strength

if TYPE_CHECKING:
    import numpy as np

    from tfsr.inference.jobs import Existing


_SIZE, _FACES = "Size, one of these", "Faces in a photograph, each any number of times"
_MODEL, _FILES = "Model", "Files"


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Images, folders, quoted patterns.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="A file, or a folder.")
    ],
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="S|SxS", help="Factor such as 3.7, or width x height.", rich_help_panel=_SIZE
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Exact size, such as 237x173.", rich_help_panel=_SIZE),
    ] = None,
    fit: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="To --size: stretch (if not said), cover (cuts), contain (fills).",
            show_default=False,
            rich_help_panel=_SIZE,
        ),
    ] = "stretch",
    long_side: Annotated[
        int | None, typer.Option(help="The longer side, in pixels.", rich_help_panel=_SIZE)
    ] = None,
    short_side: Annotated[
        int | None, typer.Option(help="The shorter side, in pixels.", rich_help_panel=_SIZE)
    ] = None,
    megapixels: Annotated[
        float | None, typer.Option(help="Width x height, in millions.", rich_help_panel=_SIZE)
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="A face in a photograph. All else is bicubic.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    eyes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X1,Y1,X2,Y2",
            help="Its eyes instead, left first: turned upright.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A preset's name (tfsr presets), or its directory.",
            autocompletion=preset_names,
            rich_help_panel=_MODEL,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="An exported .tflite or SavedModel instead.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            metavar="0..1",
            help="Of a preset with a clean twin: 0 is the twin, 1 the preset.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="To work in, such as 512MiB; 2GiB if not said.",
            show_default=False,
            rich_help_panel=_MODEL,
        ),
    ] = "2GiB",
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="float32, or bfloat16: faster where there is it.",
            show_default=False,
            rich_help_panel=_MODEL,
        ),
    ] = "float32",
    self_ensemble: Annotated[
        bool,
        typer.Option(
            "--self-ensemble",
            help="The mean over mirror images: better, but slower.",
            rich_help_panel=_MODEL,
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="cpu, gpu or gpu:N (default: the first gpu, if there is one).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="To compute with on a cpu: all that it has if not said.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="png, jpg, webp, tiff and so on.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    quality: Annotated[
        int | None, typer.Option(help="1 to 100: JPEG, WebP, AVIF.", rich_help_panel=_FILES)
    ] = None,
    frames: Annotated[
        bool,
        typer.Option("--frames", help="All frames of animations.", rich_help_panel=_FILES),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Folders in folders too.", rich_help_panel=_FILES)
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing",
            help="Leave files that are there and whole.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace files that are there.", rich_help_panel=_FILES),
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json", help="A line of JSON a file.", rich_help_panel=_FILES)
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what became of each, as JSON.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    max_input: Annotated[
        float | None,
        typer.Option(
            metavar="MPX",
            help="Most megapixels read; 89 if not said.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    max_output: Annotated[
        float | None,
        typer.Option(
            metavar="MPX",
            help="Most megapixels written; 400 if not said.",
            rich_help_panel=_FILES,
        ),
    ] = None,
) -> None:
    """Upscale images to any size.

    Example: tfsr upscale face.jpg -o large.png --scale 3.7
    """
    from tfsr.cli.progress import Progress
    from tfsr.images.formats import suffix_of_format
    from tfsr.inference.batch import run_jobs
    from tfsr.inference.jobs import names_one_file, plan_jobs
    from tfsr.inference.report import check_report, check_report_apart, write_report
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
        computer = Device(device, threads)
        suffix = None if format_name is None else suffix_of_format(format_name)
        existing = _existing(skip_existing, overwrite)
        if preset is not None and model is not None:
            raise InvalidArgument("give --preset or --model, not both")
        if strength is not None:
            check_strength(strength, OPTION)
            if model is not None:
                raise InvalidArgument("--strength goes with presets; export --model with one")
        boxes, pairs = [parse_box(t) for t in box or ()], [parse_eyes(t) for t in eyes or ()]
        if (boxes or pairs) and not names_one_file(inputs):
            raise InvalidArgument("--box and --eyes are places in one image; give one file")
        if self_ensemble and model is not None:
            raise InvalidArgument("--self-ensemble goes with presets; --model answers as exported")
        if device not in (None, "cpu") and model is not None and model.suffix == ".tflite":
            raise InvalidArgument(f"--device {device}: a .tflite file runs on the cpu")
    # What Pillow has to say about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    if report is not None:
        check_report(report, overwrite)
    jobs, outcomes = plan_jobs(inputs, output, recursive, suffix, existing)
    if report is not None:
        check_report_apart(report, jobs)
    with Interrupt() as interrupt, Progress(len(jobs) + len(outcomes), json_lines) as progress:
        try:
            for outcome in outcomes:
                progress.tell(outcome)
            if jobs:
                computer.take()
            if skip_existing and jobs:
                import_keras()  # Which the sizes are reckoned with.
                jobs, done = skip_done(jobs, request)
                for outcome in done:
                    progress.tell(outcome)
            if jobs:
                upscaler = _upscaler(
                    preset, strength, model, budget, precision, self_ensemble, threads
                )
                if boxes or pairs:
                    from tfsr.inference.photographs import PhotographUpscaler

                    upscaler = PhotographUpscaler(
                        upscaler, boxes, pairs, budget, request.max_output
                    )
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
    preset: str | None,
    strength: float | None,
    model: Path | None,
    memory: int,
    precision: str,
    self_ensemble: bool,
    threads: int | None,
) -> Callable[[np.ndarray, tuple[int, int]], np.ndarray]:
    """What upscales: a preset, or an exported file or directory."""
    import_keras()
    if model is None:
        from tfsr.inference.upscaler import Upscaler
        from tfsr.presets import DEFAULT, from_preset

        loaded = from_preset(preset or DEFAULT, strength)
        with usage():
            return Upscaler(loaded, memory, precision, self_ensemble)
    with silence():
        if os.path.isdir(model):
            from tfsr.inference.saved_model import SavedModelUpscaler

            return SavedModelUpscaler(model)
        from tfsr.inference.tflite import TFLiteUpscaler

        return TFLiteUpscaler(model, threads)
