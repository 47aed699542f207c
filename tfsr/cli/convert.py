"""`tfsr convert`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.printing import echo
from tfsr.cli.startup import import_keras


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="A published .pth, .ckpt or .pkl file.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Directory of the new preset.")
    ],
) -> None:
    """Convert a published checkpoint to a preset, without PyTorch or JAX.

    Example: tfsr convert edsr-baseline-liif.pth -o liif
    """
    import_keras()
    from tfsr import __version__
    from tfsr.converters import read_published
    from tfsr.errors import CheckpointError, TfsrError
    from tfsr.presets import check_new, save_preset

    check_new(output)
    published = read_published(checkpoint)
    try:
        model = published.model()
    except TfsrError as error:
        raise CheckpointError(f"{checkpoint}: {error}") from error
    metadata = {
        "name": output.name,
        "tfsr": __version__,
        "parameters": model.count_params(),
        "provenance": {
            "checkpoint": checkpoint.name,
            "checkpoint_sha256": _sha256(checkpoint),
            "licence": "that of the checkpoint's authors; tfsr converted it and grants none",
        },
        "unused": published.unused,
    }
    save_preset(model, output, metadata)
    system = f"{published.config['decoder']['name']} on {published.config['encoder']['name']}"
    echo(f"{output}: {system}, {model.count_params():,} parameters")
    echo(f"not used: {', '.join(published.unused) or 'nothing'}")


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
