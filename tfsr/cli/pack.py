"""`tfsr pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.completion import preset_names
from tfsr.cli.suppress_stderr import import_keras


def pack(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's directory, made by tfsr train.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The preset to make.")
    ],
    validation: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Images to measure on; the recipe's if not given."),
    ] = None,
    clean: Annotated[
        str | None,
        typer.Option(
            metavar="PRESET",
            help="Its clean twin, which RUN was fine-tuned from: for --strength.",
            autocompletion=preset_names,
        ),
    ] = None,
) -> None:
    """Make a preset of a run's best checkpoint, measured and with its provenance.

    Example: tfsr pack runs/arasfsr-compact-faces -o my-preset
    """
    import_keras()
    from tfsr.training.packing import pack as make

    make(run, output, validation_data=validation, clean=clean, report=typer.echo)
