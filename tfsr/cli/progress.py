"""What a batch prints: a line a file, and a bar where somebody watches."""

from __future__ import annotations

import json
import sys
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from tfsr.inference.jobs import JobResult
from tfsr.inference.report import as_record


class Progress:
    """Prints outcomes, and keeps them.

    Done files go to the standard output, failures to the standard error, one line each. On a
    terminal a bar below them tells the rate and the time that is left.

    Args:
        count: int. How many outcomes there will be.
        as_json: bool. Whether the standard output gets each outcome as a line of JSON instead.
    """

    def __init__(self, count: int, as_json: bool) -> None:
        self.outcomes: list[JobResult] = []
        self._as_json = as_json
        console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
        self._bar = Bar(
            *(BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            # Else the lines would go where the bar is, even if that is not where the output goes.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("upscaling", total=count)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def tell(self, outcome: JobResult) -> None:
        """Print one outcome."""
        self.outcomes.append(outcome)
        if self._as_json:
            typer.echo(json.dumps(as_record(outcome)))
        elif outcome.error is None:
            typer.echo(_in_one_line(_description(outcome)))
        if outcome.error is not None:
            self._bar.console.print(f"tfsr: {_in_one_line(outcome.error)}")
        self._bar.advance(self._task)


class _Rate(ProgressColumn):
    """Files a second, or seconds a file."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f} files/s" if speed >= 1 else f"{1 / speed:.1f} s/file")


def _description(outcome: JobResult) -> str:
    (h, w), (height, width) = outcome.lr_size, outcome.size
    sizes = f"{outcome.target}: {w}x{h} to {width}x{height}"
    if outcome.skipped:
        return f"{sizes}, was there"
    return "; ".join([f"{sizes}, {outcome.seconds:.1f} s", *outcome.notes])


def _in_one_line(text: str) -> str:
    """One line, whatever a file's name holds."""
    return " ".join(text.split())
