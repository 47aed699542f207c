"""`tfsr inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An exported .tflite.")],
) -> None:
    """Print what an exported file says of itself: model, preset, sizes, ranges, licence.

    Example: tfsr inspect face-x4.tflite
    """
    from tfsr.errors import ExportError
    from tfsr.inference.tflite import metadata_of

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror}") from error
    typer.echo(json.dumps(metadata_of(content, path), indent=2))
