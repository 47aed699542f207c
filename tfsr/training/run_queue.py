"""A queue of trainings that run for days, a few at a time, each in its process.

The queue, too, can be killed at any moment: the same command resumes each training from its last
checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tfsr.errors import InvalidArgument, TrainingError
from tfsr.training.locks import is_locked, lock
from tfsr.training.queue_list import QueuedRun, load_list
from tfsr.training.queue_process import TrainingProcess, stop_all
from tfsr.training.queue_status import LOG, state_of, statuses, write_result

# Seconds between two looks at the processes.
_POLL = 0.2


def is_queue_running(path: str | os.PathLike[str]) -> bool:
    """Whether a queue runs a list now."""
    return is_locked(_lock_of(path))


def run_queue(
    path: str | os.PathLike[str],
    jobs: int | None = None,
    report: Callable[[str], None] = print,
) -> bool:
    """Start or resume every training of a list, in its order, and wait for all.

    Ctrl-C or SIGTERM stops them all; called again, each resumes from its last checkpoint. One that
    fails does not stop the others, but those that wait for it are not started. Those that failed
    before are tried again. Must be called in the main thread.

    Args:
        path: of the list; see `load_list`.
        jobs: trainings at a time. Defaults to the available CPU cores.
        report: called with a line for each training that starts, ends or fails.

    Returns:
        Whether all are done.

    Raises:
        InvalidArgument: if `jobs` is below 1.
        RecipeError: if the list cannot be read or is invalid.
        TrainingError: if another queue runs the list, or it cannot be locked.
        KeyboardInterrupt: if it was stopped, after the last training has ended.

    Example:
        >>> run_queue("trainings.yaml", jobs=2)
        True
    """
    if jobs is None:
        from tfsr.data.processes import available_cores

        jobs = available_cores()
    if jobs < 1:
        raise InvalidArgument(f"must be at least 1; received {jobs}", "jobs")
    runs = load_list(path)
    with _only_queue_of(path):
        return _Queue(runs, jobs, report).run()


class _Queue:
    """The trainings that wait, and those that run."""

    def __init__(self, runs: list[QueuedRun], jobs: int, report: Callable[[str], None]) -> None:
        self.jobs = jobs
        self.report = report
        self.waiting = [run for run in runs if state_of(run) != "done"]
        # Whether they succeeded, of those that are over.
        self.ended = {run.name: True for run in runs if run not in self.waiting}
        self.running: list[TrainingProcess] = []
        for name in self.ended:
            report(f"{name}: already done")

    def run(self) -> bool:
        try:
            while self.waiting or self.running:
                for run in list(self.waiting):
                    self._start_or_drop(run)
                time.sleep(_POLL)
                for training in list(self.running):
                    if training.process.poll() is not None:
                        self._finish(training)
        except BaseException:
            stop_all([training.process for training in self.running])
            raise
        return all(self.ended.values())

    def _start_or_drop(self, run: QueuedRun) -> None:
        """Start a run that waits for no other, or give it up if it waits for one that failed."""
        failed = [name for name in run.after if self.ended.get(name) is False]
        ready = all(name in self.ended for name in run.after) and len(self.running) < self.jobs
        if not failed and not ready:
            return
        self.waiting.remove(run)
        if failed:
            self.ended[run.name] = False
            self.report(f"{run.name}: not started: {failed[0]} is not done")
            return
        try:
            self.running.append(TrainingProcess(run))
        except OSError as error:
            reason = f"{error.filename or run.output}: {error.strerror or error}"
            self._fail(run, f"cannot be started: {reason}")
        except TrainingError as error:
            self._fail(run, str(error))
        else:
            self.report(f"{run.name}: started, log in {run.directory / LOG}")

    def _finish(self, training: TrainingProcess) -> None:
        self.running.remove(training)
        run, failure = training.run, training.failure()
        if failure is not None:
            self._fail(run, failure)
            return
        with contextlib.suppress(OSError):
            write_result(run, "done")
        self.ended[run.name] = True
        [status] = statuses([run])
        best = "" if status.best is None else f", best {status.best:.3f} dB"
        self.report(f"{run.name}: done, {status.step:,} steps{best}")

    def _fail(self, run: QueuedRun, line: str) -> None:
        self.ended[run.name] = False
        # A full disk is no reason to stop the others.
        with contextlib.suppress(OSError):
            write_result(run, "failed", line)
        self.report(f"{run.name}: failed: {line}")


def _lock_of(path: str | os.PathLike[str]) -> Path:
    """The file that is locked while a queue runs a list."""
    return Path(path).with_name(f".{Path(path).name}.lock")


@contextlib.contextmanager
def _only_queue_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Lock a list, and let SIGTERM interrupt as Ctrl-C does."""
    try:
        held = lock(_lock_of(path))
    except OSError as error:
        raise TrainingError(f"{_lock_of(path)}: cannot be locked: {error.strerror}") from error
    if held is None:
        raise TrainingError(f"{path}: another queue runs this list")
    before = signal.getsignal(signal.SIGTERM)
    if before == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(held)
