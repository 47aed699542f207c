"""`tfsr pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.quiet import import_keras


def pack(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's directory, made by tfsr train.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The preset to make.")
    ],
    validation: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Pictures to measure on; the recipe's if not given."),
    ] = None,
) -> None:
    """Make a preset of a run's best checkpoint, measured and with its provenance.

    Example: tfsr pack runs/arasfsr-compact-faces -o my-preset
    """
    import_keras()
    from tfsr.training.packing import pack as make

    make(run, output, validation_data=validation, report=typer.echo)
