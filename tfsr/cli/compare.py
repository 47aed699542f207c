"""`tfsr compare`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli import options
from tfsr.cli.interrupt import Interrupt
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import ImageError, InvalidArgument
from tfsr.presets import DEFAULT

if TYPE_CHECKING:
    import numpy as np

    from tfsr.evaluation import Comparison


def compare(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The image to upscale.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FIGURE", help="The image to write.")
    ],
    scale: options.Scale = None,
    size: options.Size = None,
    original: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The HR image of IN: for PSNR.")
    ] = None,
    preset: options.Presets = None,
    others: options.MorePresets = None,
    strengths: options.Strengths = None,
    inset: options.Insets = None,
    overwrite: options.Overwrite = False,
    max_input: options.MaxInput = options.MAX_INPUT,
    max_output: options.MaxOutput = options.MAX_OUTPUT,
) -> None:
    """Show an image upscaled by several models side by side, with insets.

    Example: tfsr compare face.jpg --scale 4 -o figure.png
    """
    from tfsr.inference.request import PixelLimits
    from tfsr.inference.sizes import TargetSize

    with options.usage():
        limits = PixelLimits(max_input=max_input, max_output=max_output)
        if scale is None and size is None and original is None:
            raise InvalidArgument("give --scale, --size, or --original, whose size is then used")
        target = None if scale is None and size is None else TargetSize(scale, size)
    _check_output(output, overwrite, [source, original])
    # Pillow's warnings about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    import_keras()
    from tfsr.evaluation import Comparison, Inset, load
    from tfsr.images import check_writable_format, write

    image = limits.read(source)
    hr = None if original is None else limits.read(original)
    with _naming(source), Interrupt() as interrupt:
        target = target or TargetSize(size=None if hr is None else hr.size)
        with silence():
            systems = load([*(preset or ()), *(others or ())] or [DEFAULT], strengths or ())
        insets = [Inset(left, top, width, height) for top, left, height, width in inset or ()]
        hr_size = target.of(image.size, limits.max_output_pixels)
        comparison = Comparison(source.name, image, hr_size, systems, hr, insets or None)
        check_writable_format(output, comparison.sheet_size)
        figure = _render(comparison, interrupt)
    write(output, figure)
    values = zip(systems, comparison.figures, strict=True)
    line = ", ".join(f"{system.name} {value}" for system, value in values if value)
    typer.echo(f"{output}: {line}" if line else output)


def _check_output(output: Path, overwrite: bool, sources: Sequence[Path | None]) -> None:
    """Refuse before any work what could not be written after it."""
    from tfsr.images import check_writable_format

    check_writable_format(output)
    if not os.path.isdir(output.parent) or not os.access(output.parent, os.W_OK | os.X_OK):
        raise ImageError(f"{output}: cannot be written: its folder must exist and be writable")
    if not os.path.lexists(output):
        return
    existing = [path for path in sources if path is not None and os.path.exists(path)]
    if os.path.exists(output) and any(os.path.samefile(output, path) for path in existing):
        raise ImageError(f"{output}: would overwrite an image that it shows")
    if os.path.isdir(output) or not overwrite:
        what = "is a folder" if os.path.isdir(output) else "exists; --overwrite replaces it"
        raise ImageError(f"{output}: {what}")


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Name the image in errors."""
    try:
        yield
    except InvalidArgument as error:
        raise InvalidArgument(f"{source}: {options.message_of(error)}") from error
    except MemoryError as error:
        raise ImageError(f"{source}: not enough memory for outputs of this size") from error


def _render(comparison: Comparison, interrupt: Interrupt) -> np.ndarray:
    """The figure; on a terminal a bar shows the progress."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("upscaling", total=len(comparison.systems))

        def advance() -> None:
            progress.advance(task)
            interrupt.check()

        return comparison.draw(advance)
