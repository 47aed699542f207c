"""The speed of a run, and the time it has left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tfsr.training.recipe import TrainingConfig

# What follows the last checkpoint (closing files, ending processes, leaving Python) takes about
# this share of the time before the first step.
_EXIT_SHARE = 0.2
# A machine may become slower by this share after its speed was measured.
_MARGIN = 0.04
# Seconds of training from which `steps: auto` is decided; a tenth of the time, if that is less.
_MEASURED_SECONDS = 30.0
# Validations of a run that decides their number.
_EPOCHS = 8
# Seconds of training before the first report of the speed, and the longest between two.
_FIRST_REPORT, _LONGEST_GAP = 30.0, 600.0


class Pace:
    """Measures training, validation and checkpoints, and plans the time left.

    Args:
        limit: seconds that the whole run may take; None: any.
        began: `time.monotonic()` when they began. Defaults to now.
    """

    def __init__(self, limit: float | None = None, began: float | None = None) -> None:
        self.limit = limit
        self.began = time.monotonic() if began is None else began
        # Seconds of the first call, which compiles the model; None before it.
        self.compilation: float | None = None
        # Steps measured so far and their seconds, without the first call.
        self.steps, self.seconds = 0, 0.0
        # Seconds before the first step without compilation, of a validation with all that follows
        # it, and of a checkpoint.
        self.startup = self.validation = self.checkpoint = 0.0
        self._intervals: deque[float] = deque(maxlen=4)

    @property
    def remaining(self) -> float:
        """Seconds left; infinite without a limit."""
        return math.inf if self.limit is None else self.began + self.limit - time.monotonic()

    @property
    def steps_per_second(self) -> float:
        """Of training alone; 0 before anything was measured."""
        return self.steps / self.seconds if self.steps > 0 and self.seconds > 0 else 0.0

    @property
    def is_measured(self) -> bool:
        """Whether the number of steps can be decided."""
        needed = min(_MEASURED_SECONDS, self.remaining / 10)
        return self.steps > 0 and self.remaining > 0 and self.seconds >= needed

    def start(self) -> None:
        """Record that everything is ready for training."""
        self.startup = time.monotonic() - self.began

    def record_first_call(self, steps: int, seconds: float) -> None:
        """Record the first call, which compiles the model: it is not part of the speed."""
        self.compilation = seconds
        self.steps, self.seconds = -steps, -seconds

    def record(self, steps: int, seconds: float) -> None:
        """Record an interval of training."""
        self.steps += steps
        self.seconds += seconds
        first = not self._intervals
        self._intervals.append(self.seconds if first and self.steps > 0 else seconds)

    def has_time_for(self, validations: int) -> bool:
        """Whether another interval, validations and a checkpoint fit in the time left."""
        interval = max(self._intervals, default=0.0)
        return self.remaining > interval + validations * self.validation + self._end

    def steps_left(self, steps_per_epoch: int | None) -> tuple[int, int]:
        """Steps and validations that fit in the time left.

        If the steps per epoch are None, up to eight validations take at most a fifth of the time.
        """
        epoch = self.validation + self.checkpoint
        rest = (self.remaining - self._end) * (1 - _MARGIN)
        if steps_per_epoch is None:
            epochs = max(1, min(_EPOCHS, int(rest / 5 / epoch))) if epoch else _EPOCHS
            return max(0, int((rest - epochs * epoch) * self.steps_per_second)), epochs
        steps = max(0, int(rest / (1 / self.steps_per_second + epoch / steps_per_epoch)))
        return steps, math.ceil(steps / steps_per_epoch)

    def seconds_left(self, step: int, training: TrainingConfig) -> float | None:
        """Seconds from a step to the end of a run with its validations; None if not known."""
        if training.steps == "auto" or not self.steps_per_second:
            return None
        epoch = (self.validation + self.checkpoint) / int(training.steps_per_epoch)
        return (training.steps - step) * (1 / self.steps_per_second + epoch)

    @property
    def _end(self) -> float:
        return 2 * self.checkpoint + _EXIT_SHARE * self.startup


@dataclass
class PaceReport:
    """Reports the speed at growing intervals, and every epoch's figures."""

    pace: Pace
    report: Callable[[str], None]
    _next: float = _FIRST_REPORT

    def interval(self, step: int, training: TrainingConfig, loss: float) -> None:
        """Report the speed, if it is due."""
        pace = self.pace
        if pace.seconds < self._next:
            return
        self._next = pace.seconds + min(pace.seconds, _LONGEST_GAP)
        line, left = f"step {step:,}", pace.seconds_left(step, training)
        if left is not None:
            line += f" of {training.steps:,}, about {duration(left)} left"
        self.report(f"{line}: {pace.steps_per_second:.3g} steps/s, loss {loss:.4f}")

    def epoch(self, row: dict[str, Any]) -> None:
        """Report a row of the history."""
        figures = ", ".join(
            f"{name.removeprefix('val_psnr_')}: {value:.3f}"
            for name, value in row.items()
            if name.startswith("val_psnr_")
        )
        self.report(
            f"epoch {row['epoch']}, step {row['step']:,}: loss {row['loss']:.4f}, "
            f"validation {row['val_psnr']:.3f} dB ({figures})"
        )


def duration(seconds: float) -> str:
    """Format seconds for people: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60} min"
