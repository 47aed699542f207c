"""`tfsr queue run` and `tfsr queue show`."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfsr.cli.printing import echo

if TYPE_CHECKING:
    from tfsr.training.queue_status import RunStatus

app = typer.Typer(no_args_is_help=True)

List = Annotated[
    Path, typer.Argument(metavar="LIST", help="A YAML file of trainings; see docs/training.md.")
]


@app.callback()
def queue() -> None:
    """Run a list of trainings that take days, and resume them after any interruption.

    Example: tfsr queue run trainings.yaml
    """


@app.command()
def run(
    trainings: List,
    jobs: Annotated[
        int | None,
        typer.Option(
            "-j", "--jobs", metavar="N", min=1, help="Trainings at a time (default: CPU cores)."
        ),
    ] = None,
) -> None:
    """Start or resume every training of a list, at the lowest priority, one thread each.

    Ctrl-C stops them all; the same command resumes each from its last checkpoint.

    Example: tfsr queue run trainings.yaml --jobs 2
    """
    from tfsr.training.run_queue import run_queue

    if not run_queue(trainings, jobs, report=echo):
        typer.echo("tfsr: not all trainings are done", err=True)
        sys.exit(1)


@app.command()
def show(
    trainings: List,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the state of each training of a list: steps, best PSNR, speed and estimated end.

    Example: tfsr queue show trainings.yaml
    """
    from tfsr.training.queue_list import load_list
    from tfsr.training.queue_status import statuses
    from tfsr.training.run_queue import is_queue_running

    found = statuses(load_list(trainings))
    running = is_queue_running(trainings)
    if as_json:
        content = {"running": running, "runs": [asdict(status) for status in found]}
        typer.echo(json.dumps(content, indent=2))
        return
    rows = [("run", "state", "steps", "best", "speed", "end"), *map(_row, found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        # The last column may be a long message; it is not padded.
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        typer.echo("  ".join([*cells, row[-1]]).rstrip())
    if not running:
        typer.echo(f"No queue runs this list now; to start it: tfsr queue run {trainings}")


def _row(status: RunStatus) -> tuple[str, ...]:
    steps = "?" if status.steps is None else f"{status.steps:,}"
    return (
        status.name,
        status.state,
        f"{status.step:,} of {steps}",
        "-" if status.best is None else f"{status.best:.2f} dB",
        _speed(status.steps_per_second),
        status.line or _end(status.seconds_left),
    )


def _speed(steps_per_second: float | None) -> str:
    if steps_per_second is None:
        return "-"
    if steps_per_second >= 1:
        return f"{steps_per_second:.1f} steps/s"
    return f"{3600 * steps_per_second:,.0f} steps/h"


def _end(seconds_left: float | None) -> str:
    if seconds_left is None:
        return "-"
    # Days away, the day matters more than the minute.
    return time.strftime("%a %d %b %H:%M", time.localtime(time.time() + seconds_left))
