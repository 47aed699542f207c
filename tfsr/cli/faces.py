"""`tfsr faces`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli import options
from tfsr.cli.output_files import check_not_overwritten, check_outputs
from tfsr.cli.printing import echo
from tfsr.cli.startup import import_keras, silence


def faces(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A photograph.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="A numbered picture.")
    ] = None,
    min_face: options.MinFace = None,
    json_lines: options.JsonFaces = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Find the faces in a photograph, and print the options that restore each.

    Example: tfsr faces photo.jpg -o numbered.png
    """
    if output is not None:
        from tfsr.images.formats import check_writable_format

        check_outputs([output], overwrite)
        check_writable_format(output)
        check_not_overwritten([source], [output])
    warnings.filterwarnings("ignore", module="PIL")
    import_keras()
    from tfsr.faces import find, numbered
    from tfsr.faces.search import MIN_FACE
    from tfsr.images import read, write

    image = read(source)
    with silence():
        found = find(image, min_face=MIN_FACE if min_face is None else min_face)
    if output is not None:
        write(output, numbered(image, found))
    records = [face.record() for face in found]
    for number, record in enumerate(records, start=1):
        line = json.dumps({"number": number, **record}) if json_lines else _line(number, **record)
        echo(line)


def _line(number: int, box: list[int], eyes: list[float], confidence: float) -> str:
    places = ",".join(f"{value:g}" for value in eyes)
    return f"{number}: --eyes {places} ({box[2]}x{box[3]}, confidence {confidence:g})"
