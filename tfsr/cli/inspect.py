"""`tfsr inspect`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .tflite, or a SavedModel.")],
) -> None:
    """Print what an exported file says of itself: model, preset, sizes, ranges, licence.

    Example: tfsr inspect face-x4.tflite
    """
    if os.path.isdir(path):
        from tfsr.inference.saved_model import metadata_of, version_directory

        found = metadata_of(version_directory(path))
    else:
        from tfsr.inference.tflite import metadata_of_file

        found = metadata_of_file(path)
    typer.echo(json.dumps(found, indent=2))
