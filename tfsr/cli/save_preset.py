"""`tfsr save-preset`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.options import preset_names
from tfsr.cli.printing import echo
from tfsr.cli.startup import import_keras


def save_preset(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's directory, made by tfsr train.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Directory of the new preset.")
    ],
    validation: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Images to measure on (default: the recipe's)."),
    ] = None,
    clean: Annotated[
        str | None,
        typer.Option(
            metavar="PRESET",
            help="Clean twin that RUN was fine-tuned from, for --strength.",
            autocompletion=preset_names,
        ),
    ] = None,
) -> None:
    """Save a run's best checkpoint as a preset, with its measured PSNR and provenance.

    Example: tfsr save-preset runs/arasfsr-compact-faces -o my-preset
    """
    import_keras()
    from tfsr.training.run_preset import save_run_preset

    save_run_preset(run, output, validation_data=validation, clean=clean, report=echo)
