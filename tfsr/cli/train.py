"""`tfsr train`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.options import parse_duration, usage
from tfsr.cli.suppress_stderr import STARTED, import_keras


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
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="Training images; once for each folder of the recipe, or once for all.",
        ),
    ] = None,
    validation: Annotated[
        str | None, typer.Option(metavar="DIR", help="Validation images.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change any key of the recipe."),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, one (device), mirrored (all devices here), multi-worker (TF_CONFIG).",
        ),
    ] = "auto",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on though steps, images or validation are not those of before."
        ),
    ] = False,
    max_time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End at a checkpoint within this time: 9m, 1h30m, 540 (s). Run again to resume.",
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Processes that cut samples; 0: threads (default: one per CPU core on a GPU).",
        ),
    ] = None,
) -> None:
    """Train a model as a recipe says; given once more, the same command goes on where it stopped.

    Example: tfsr train recipes/arasfsr-compact-faces.yaml --data faces/train --validation faces/val
    """
    with usage():
        seconds = None if max_time is None else parse_duration(max_time)
    import_keras()
    # TensorFlow's advice against tracing a function anew for images of another size.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from tfsr.training.trainer import train as run

    run(
        recipe,
        output or Path("runs") / recipe.stem,
        train_data=data,
        validation_data=validation,
        changes=changes or (),
        strategy=strategy,
        resume=resume,
        max_time=seconds,
        began=STARTED,
        processes=processes,
        report=typer.echo,
    )
