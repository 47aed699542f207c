"""`tfsr inspect`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .tflite, .onnx or SavedModel.")],
) -> None:
    """Print an exported file's metadata: model, preset, sizes, ranges, licence.

    Example: tfsr inspect face-x4.tflite
    """
    if os.path.isdir(path):
        from tfsr.inference.saved_model_upscaler import metadata_of, version_directory

        found = metadata_of(version_directory(path))
    elif path.suffix.lower() == ".onnx":
        from tfsr.inference import onnx_upscaler

        found = onnx_upscaler.metadata_of_file(path)
    else:
        from tfsr.inference.tflite_upscaler import metadata_of_file

        found = metadata_of_file(path)
    typer.echo(json.dumps(found, indent=2))
