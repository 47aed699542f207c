"""`tfsr compare`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.interrupt import Interrupt
from tfsr.cli.options import parse_box, parse_limits, parse_scale, parse_size, usage
from tfsr.cli.strength import load_systems, parse_strengths
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import ImageError, InvalidArgument

if TYPE_CHECKING:
    import numpy as np

    from tfsr.evaluation import Comparison
    from tfsr.inference.limits import Limits
    from tfsr.inference.sizes import TargetSize


def compare(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The image to enlarge.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="SHEET", help="The image to write.")
    ],
    scale: Annotated[
        str | None, typer.Option(metavar="S|SxS", help="Factor such as 3.7, or width x height.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Exact size, such as 237x173.")
    ] = None,
    original: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What IN was reduced from: for PSNR.")
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(metavar="P...", help="Presets, runs, .tflite files, SavedModels, bicubic."),
    ] = None,
    others: Annotated[
        list[str] | None, typer.Argument(metavar="[P...]", help="More of what --preset takes.")
    ] = None,
    strength: Annotated[
        str | None,
        typer.Option(metavar="0..1,...", help="A column for each: 0 is the clean twin."),
    ] = None,
    inset: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="A part to show large, in pixels of IN."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the sheet if it is there.")
    ] = False,
    max_input: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels read; 89 if not said.")
    ] = None,
    max_output: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels of an output; 400.")
    ] = None,
) -> None:
    """Show an image enlarged by several models side by side, with insets.

    Example: tfsr compare face.jpg --scale 4 -o sheet.png
    """
    from tfsr.inference.limits import Limits

    # What Pillow has to say about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    with usage():
        limits = Limits(**parse_limits(max_input, max_output))
        strengths = [] if strength is None else parse_strengths(strength)
        boxes = [parse_box(text, "--inset") for text in inset or []]
        target = _target(scale, size, original, limits)
    _check_output(output, overwrite, [source, original])
    for path in filter(None, (source, original)):
        limits.header(path)
    import_keras()
    from tfsr.evaluation import Comparison, Inset
    from tfsr.images import check_writable_format, read_image, write
    from tfsr.presets import DEFAULT

    image = read_image(source)
    hr = None if original is None else read_image(original)
    with _naming(source), Interrupt() as interrupt:
        wanted = target.of(image.size, limits.max_output)
        with silence():
            systems = load_systems([*(preset or []), *(others or [])] or [DEFAULT], strengths)
        insets = [Inset(left, top, width, height) for top, left, height, width in boxes] or None
        comparison = Comparison(source.name, image, wanted, systems, hr, insets)
        check_writable_format(output, comparison.sheet_size)
        sheet = _drawn(comparison, interrupt)
    write(output, sheet)
    figures = zip(systems, comparison.figures, strict=True)
    told = ", ".join(f"{system.name} {figure}" for system, figure in figures if figure)
    typer.echo(f"{output}: {told}" if told else output)


def _target(
    scale: str | None, size: str | None, original: Path | None, limits: Limits
) -> TargetSize:
    """What size is asked for: a scale's, that one, or the original's."""
    from tfsr.inference.sizes import TargetSize

    if scale is not None and size is not None:
        raise InvalidArgument("give --scale or --size, not both")
    if scale is not None:
        return TargetSize(parse_scale(scale))
    if size is not None:
        return TargetSize(size=parse_size(size))
    if original is not None:
        return TargetSize(size=limits.header(original).size)
    raise InvalidArgument("give --scale, --size, or --original, whose size is then meant")


def _check_output(output: Path, overwrite: bool, sources: Sequence[Path | None]) -> None:
    """Refuse what could not be written now, not when all is drawn."""
    from tfsr.images import check_writable_format

    check_writable_format(output)
    if not os.path.isdir(output.parent) or not os.access(output.parent, os.W_OK | os.X_OK):
        raise ImageError(f"{output}: cannot be written: its folder must exist and be writable")
    if not os.path.lexists(output):
        return
    there = [path for path in sources if path is not None and os.path.exists(path)]
    if os.path.exists(output) and any(os.path.samefile(output, path) for path in there):
        raise ImageError(f"{output}: the sheet would be written over an image it shows")
    if os.path.isdir(output) or not overwrite:
        what = "is a folder" if os.path.isdir(output) else "exists; --overwrite replaces it"
        raise ImageError(f"{output}: {what}")


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Name the image in what is wrong with it."""
    try:
        yield
    except InvalidArgument as error:
        raise InvalidArgument(f"{source}: {error}") from error
    except MemoryError as error:
        raise ImageError(f"{source}: not enough memory for answers of this size") from error


def _drawn(comparison: Comparison, interrupt: Interrupt) -> np.ndarray:
    """The sheet; on a terminal a bar shows how many systems have answered."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("drawing", total=len(comparison.systems))

        def advance() -> None:
            progress.advance(task)
            interrupt.check()

        return comparison.draw(advance)
