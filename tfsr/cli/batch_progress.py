"""The output of a batch: a line a file, and a bar on a terminal."""

from __future__ import annotations

import json
import sys
from collections import Counter
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from tfsr.cli.printing import one_line
from tfsr.inference.batch_report import as_record
from tfsr.inference.jobs import JobResult


class BatchProgress:
    """Prints results, and collects them.

    Done files go to the standard output, failures to the standard error, one line each; what was
    lost in several files is a line at the end. On a terminal a bar below them shows the rate and
    the remaining time.

    Args:
        count: int. How many results there will be.
        as_json: bool. Whether the standard output gets each result as a line of JSON instead.
    """

    def __init__(self, count: int, as_json: bool) -> None:
        self.results: list[JobResult] = []
        self._as_json, self._several = as_json, count > 1
        console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            *(BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            # Else the lines would go where the bar is, even if that is not where the output goes.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("upscaling", total=count)

    def __enter__(self) -> BatchProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._several and not self._as_json:
            counts = Counter(note for result in self.results for note in result.notes)
            for note, count in counts.items():
                typer.echo(one_line(f"{count} of {len(self.results)} files: {note}"))

    def add(self, result: JobResult) -> None:
        """Print one result."""
        self.results.append(result)
        if self._as_json:
            typer.echo(json.dumps(as_record(result)))
        elif result.error is None:
            typer.echo(one_line(describe(result, with_notes=not self._several)))
        if result.error is not None:
            self._bar.console.print(f"tfsr: {one_line(result.error)}")
        self._bar.advance(self._task)


class _Rate(ProgressColumn):
    """Files a second, or seconds a file."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f} files/s" if speed >= 1 else f"{1 / speed:.1f} s/file")


def describe(result: JobResult, with_notes: bool = True) -> str:
    """The line of a file that was done or skipped."""
    (h, w), (height, width) = result.lr_size, result.size
    sizes = f"{result.target}: {w}x{h} to {width}x{height}"
    if result.skipped:
        return f"{sizes}, already exists"
    parts = [f"{sizes}, {result.seconds:.1f} s", *(result.notes if with_notes else ())]
    if "faces" in result.details:
        faces = [face["restored"] for face in result.details["faces"]]
        parts.insert(1, f"{sum(faces)} of {len(faces)} faces restored")
    return "; ".join(parts)
