"""`tfsr compare`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli import options
from tfsr.cli.output_files import check_not_overwritten, check_outputs
from tfsr.cli.printing import echo
from tfsr.cli.progress_bar import progress_bar
from tfsr.cli.startup import import_keras, silence
from tfsr.errors import ImageError, InvalidArgument
from tfsr.presets import DEFAULT


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
    from tfsr.images import check_writable_format, write
    from tfsr.inference.request import PixelLimits
    from tfsr.inference.target_size import TargetSize

    with options.usage():
        limits = PixelLimits(max_input=max_input, max_output=max_output)
        if scale is None and size is None and original is None:
            raise InvalidArgument("give --scale, --size, or --original, whose size is then used")
        target = None if scale is None and size is None else TargetSize(scale, size)
    check_writable_format(output)
    check_outputs([output], overwrite)
    check_not_overwritten([source, original], [output])
    # Pillow's warnings about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    import_keras()
    from tfsr.evaluation import Comparison, ZoomInset, load_upscalers

    image = limits.read(source)
    hr = None if original is None else limits.read(original)
    with _naming(source):
        target = target or TargetSize(size=None if hr is None else hr.size)
        with silence():
            upscalers = load_upscalers(
                [*(preset or ()), *(others or ())] or [DEFAULT], strengths or ()
            )
        insets = [ZoomInset(left, top, width, height) for top, left, height, width in inset or ()]
        hr_size = target.output_size(image.size, limits.max_output_pixels)
        comparison = Comparison(source.name, image, hr_size, upscalers, hr, insets or None)
        check_writable_format(output, comparison.figure_size)
        with progress_bar("upscaling", len(upscalers)) as advance:
            figure = comparison.render(advance)
    write(output, figure)
    captions = zip(upscalers, comparison.captions, strict=True)
    line = ", ".join(f"{name} {caption}" for name, caption in captions if caption)
    echo(f"{output}: {line}" if line else output)


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Name the image in errors."""
    try:
        yield
    except InvalidArgument as error:
        raise InvalidArgument(f"{source}: {options.message_of(error)}") from error
    except MemoryError as error:
        raise ImageError(f"{source}: not enough memory for outputs of this size") from error
