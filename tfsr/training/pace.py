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
# Seconds of training from which `steps: auto` is decided; a tenth of the time, if that is less.
_MEASURED_SECONDS = 30.0
# Validations of a run that decides about them.
_EPOCHS = 8
# Seconds of training before the first report of the pace, and the longest between two.
_FIRST_REPORT, _LONGEST_GAP = 30.0, 600.0


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
        self._intervals: deque[float] = deque(maxlen=4)

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
        return (
            self.steps > 0
            and self.remaining > 0
            and self.seconds >= min(_MEASURED_SECONDS, self.remaining / 10)
        )

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
        first = not self._intervals
        self._intervals.append(self.seconds if first and self.steps > 0 else seconds)

    def allows(self, validations: int) -> bool:
        """Whether there is time for an interval more, so many validations, and a checkpoint."""
        return (
            self.remaining
            > max(self._intervals, default=0.0) + validations * self.validation + self._end
        )

    def steps_left(self, steps_per_epoch: int | None) -> tuple[int, int]:
        """Steps that can be done in the time left, beside their validations and checkpoints.

        Args:
            steps_per_epoch: steps between validations; None: as many validations, up to eight, as
                take a fifth of the time.

        Returns:
            The steps, and the number of validations.
        """
        epoch = self.validation + self.checkpoint
        rest = (self.remaining - self._end) * (1 - _MARGIN)
        if steps_per_epoch is None:
            epochs = max(1, min(_EPOCHS, int(rest / 5 / epoch))) if epoch else _EPOCHS
            return max(0, int((rest - epochs * epoch) * self.steps_per_second)), epochs
        steps = max(0, int(rest / (1 / self.steps_per_second + epoch / steps_per_epoch)))
        return steps, math.ceil(steps / steps_per_epoch)

    def seconds_left(self, step: int, training: Training) -> float | None:
        """Seconds until a run that has done so many steps is done, validation included.

        None: the number of steps is not decided, or nothing was measured yet.
        """
        if training.steps == "auto" or not self.steps_per_second:
            return None
        epoch = (self.validation + self.checkpoint) / int(training.steps_per_epoch)
        return (training.steps - step) * (1 / self.steps_per_second + epoch)

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
        self._next = pace.seconds + min(pace.seconds, _LONGEST_GAP)
        line = f"step {step:,}"
        left = pace.seconds_left(step, training)
        if left is not None:
            line += f" of {training.steps:,}, about {duration(left)} left"
        self.report(f"{line}: {pace.steps_per_second:.3g} steps/s, loss {loss:.4f}")

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
