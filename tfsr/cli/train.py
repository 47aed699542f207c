"""`tfsr train`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.options import usage
from tfsr.cli.parsing import parse_duration
from tfsr.cli.printing import echo
from tfsr.cli.startup import STARTED, import_keras

_Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, as in recipes/.")]
_Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="The run (default: runs/NAME)."),
]
_Data = Annotated[
    list[str] | None,
    typer.Option(metavar="DIR", help="Training images: one for all folders, or one for each."),
]
_Validation = Annotated[str | None, typer.Option(metavar="DIR", help="Validation images.")]
_Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change any key of the recipe."),
]
_Strategy = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, single (device), mirrored (all devices here), multi-worker (TF_CONFIG).",
    ),
]
_Resume = Annotated[
    bool,
    typer.Option("--resume", help="Resume though steps, images or validation have changed."),
]
_MaxTime = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="End at a checkpoint within this time: 9m, 1h30m, 540 (s). Run again to resume.",
    ),
]
_Processes = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="Worker processes that make samples; 0: threads (default: one per CPU core on a GPU).",
    ),
]


def train(
    recipe: _Recipe,
    output: _Output = None,
    data: _Data = None,
    validation: _Validation = None,
    changes: _Changes = None,
    strategy: _Strategy = "auto",
    resume: _Resume = False,
    max_time: _MaxTime = None,
    processes: _Processes = None,
) -> None:
    """Train a recipe; the same command, given again, resumes where it stopped.

    Example: tfsr train recipes/arasfsr-compact-faces.yaml --data faces/train --validation faces/val
    """
    with usage():
        seconds = None if max_time is None else parse_duration(max_time)
    import_keras()
    # Hides TensorFlow's advice against retracing for images of another size.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from tfsr.training.trainer import train as train_recipe

    train_recipe(
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
        report=echo,
    )
