"""`tfsr train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.quiet import import_keras


def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A recipe, as those in recipes/.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="The run's directory; runs/NAME if not given."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="DIR", help="Training pictures.")] = None,
    validation: Annotated[
        str | None, typer.Option(metavar="DIR", help="Validation pictures.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
) -> None:
    """Train a model as a recipe says.

    Example: tfsr train recipes/arasfsr-compact-faces.yaml --data faces/train --validation faces/val
    """
    import_keras()
    from tfsr.training.trainer import train as run

    run(
        recipe,
        output or Path("runs") / recipe.stem,
        train_data=data,
        validation_data=validation,
        resume=resume,
    )
