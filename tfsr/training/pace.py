"""How fast a run is, and how much time it has left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tfsr.training.recipe import Training

# What follows the last checkpoint (closing files, ending processes, leaving Python) takes about
# this share of what came before the first step.
_EXIT_SHARE = 0.2
# A machine may become slower by this share after its speed was measured.
_MARGIN = 0.04
# Seconds of training from which `steps: auto` is decided, if a tenth of the time is as long.
_MEASURED_SECONDS = 30.0
# Seconds of training before the pace is reported first, and at most between two reports.
_FIRST_REPORT, _RARE_REPORT = 30.0, 600.0


class Pace:
    """Seconds that training, validation and checkpoints take, and those that are left.

    Args:
        limit: seconds that the whole run may take; None for any number.
        began: `time.monotonic()` when they began.
    """

    def __init__(self, limit: float | None = None, began: float | None = None) -> None:
        self.limit = limit
        self.began = time.monotonic() if began is None else began
        self.compilation: float | None = None
        """Seconds of the first call, which compiles the model; None before it."""
        self.steps = 0
        """Steps measured so far; those of the first call are left out."""
        self.seconds = 0.0
        """What they took."""
        self.startup = 0.0
        """Seconds before the first step, compilation left out."""
        self.validation = 0.0
        """Seconds of a validation, with all that is done after it."""
        self.checkpoint = 0.0
        """Seconds of a checkpoint."""
        self._last: deque[float] = deque(maxlen=4)

    @property
    def remaining(self) -> float:
        """Seconds that are left; infinite without a limit."""
        return math.inf if self.limit is None else self.began + self.limit - time.monotonic()

    @property
    def steps_per_second(self) -> float:
        """Training alone; 0 before anything was measured."""
        return self.steps / self.seconds if self.steps > 0 and self.seconds > 0 else 0.0

    @property
    def is_measured(self) -> bool:
        """Whether the number of steps can be decided from it."""
        return self.steps > 0 and self.seconds >= min(_MEASURED_SECONDS, self.remaining / 10)

    def start(self) -> None:
        """Take down that all is ready for training."""
        self.startup = time.monotonic() - self.began

    def first_call(self, steps: int, seconds: float) -> None:
        """Take down the first call, which compiles the model: it is no part of the pace."""
        self.compilation = seconds
        self.steps, self.seconds = -steps, -seconds

    def add(self, steps: int, seconds: float) -> None:
        """Add an interval of training."""
        self.steps += steps
        self.seconds += seconds
        self._last.append(self.seconds if len(self._last) == 0 else seconds)

    def allows(self, validations: int) -> bool:
        """Whether there is time for an interval more, so many validations, and a checkpoint."""
        return (
            self.remaining
            > max(self._last, default=0.0) + validations * self.validation + self._end
        )

    def steps_left(self, steps_per_epoch: int | str) -> int:
        """Steps that can be done in the time left, with their validations and checkpoints."""
        epoch = self.validation + self.checkpoint
        rest = (self.remaining - self._end) * (1 - _MARGIN)
        if steps_per_epoch == "auto":
            # Eight epochs and a rest, whatever their length.
            return max(0, int((rest - 9 * epoch) * self.steps_per_second))
        return max(0, int(rest / (1 / self.steps_per_second + epoch / int(steps_per_epoch))))

    @property
    def _end(self) -> float:
        return 2 * self.checkpoint + _EXIT_SHARE * self.startup

    def figures(self, batch: int) -> dict[str, float]:
        """`samples_per_second`, if it is known."""
        rate = self.steps_per_second
        return {"samples_per_second": batch * rate} if rate else {}


class PaceReport:
    """Reports the pace after half a minute, then ever more seldom, and every epoch's figures.

    Args:
        pace: to report.
        report: called with a line.
    """

    def __init__(self, pace: Pace, report: Callable[[str], None]) -> None:
        self.pace = pace
        self.report = report
        self._next = _FIRST_REPORT

    def __call__(self, step: int, training: Training, loss: float) -> None:
        """Report, if it is time for it."""
        pace = self.pace
        if pace.seconds < self._next:
            return
        self._next = pace.seconds + min(pace.seconds, _RARE_REPORT)
        line = f"step {step:,}"
        if training.steps != "auto":
            epoch = (pace.validation + pace.checkpoint) / int(training.steps_per_epoch)
            left = (training.steps - step) * (1 / pace.steps_per_second + epoch)
            line += f" of {training.steps:,}, about {duration(left)} left"
        self.report(f"{line}: {pace.steps_per_second:.3g} steps a second, loss {loss:.4f}")

    def epoch(self, row: dict[str, Any]) -> None:
        """Report a row of the history."""
        figures = [
            f"{name.removeprefix('val_psnr_')}: {value:.3f}"
            for name, value in row.items()
            if name.startswith("val_psnr_")
        ]
        self.report(
            f"epoch {row['epoch']}, step {row['step']:,}: loss {row['loss']:.4f}, "
            f"validation {row['val_psnr']:.3f} dB ({', '.join(figures)})"
        )


def duration(seconds: float) -> str:
    """Seconds as people say them: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60} min"
