"""Trainings that run for days, one after the other and a few at a time, each a process.

They run at the lowest priority and with one thread each, and can be killed at any moment, the queue
too: the same command resumes each from its last checkpoint. On Linux the kernel ends the trainings
with the queue even where that is killed by SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfsr.errors import InvalidArgument, TrainingError
from tfsr.training.locks import is_locked, lock
from tfsr.training.queue_list import QueuedRun, load_list
from tfsr.training.queue_status import LOCK, LOG, RESULT, state_of, statuses, write_result

# Seconds between two looks at the processes.
_POLL = 0.2
# Seconds that a stopped training has to end by itself, and that one which was killed has to die.
_STOP_SECONDS, _DEATH_SECONDS = 20.0, 5.0
_LOWEST_PRIORITY = 19
_PR_SET_PDEATHSIG = 1
# One thread each for OpenMP, TensorFlow and JAX. More would fight for the same cores.
_THREADS = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",
}
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def lock_of(path: str | os.PathLike[str]) -> Path:
    """Return the file that is locked while a queue runs a list."""
    path = Path(path)
    return path.with_name(f".{path.name}.lock")


def is_queue_running(path: str | os.PathLike[str]) -> bool:
    """Whether a queue runs a list now."""
    return is_locked(lock_of(path))


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
        jobs: trainings at a time; None: as many as there are CPU cores to use.
        report: called with a line for each training that starts, ends or fails.

    Returns:
        Whether all are done.

    Raises:
        InvalidArgument: if `jobs` is below 1.
        RecipeError: if the list cannot be read, or makes no sense.
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
        raise InvalidArgument(f"jobs must be at least 1; received {jobs}")
    runs = load_list(path)
    with _only_queue_of(path), _stopped_by_sigterm():
        return _Queue(runs, jobs, report).run()


class _Queue:
    """Trainings that wait, and those that run."""

    def __init__(self, runs: list[QueuedRun], jobs: int, report: Callable[[str], None]) -> None:
        self.jobs = jobs
        self.report = report
        self.waiting = [run for run in runs if state_of(run) != "done"]
        self.ended = {run.name: True for run in runs if run not in self.waiting}
        """Whether they are done, of those that are over."""
        self.running: list[_Training] = []
        for name in self.ended:
            report(f"{name}: is done already")

    def run(self) -> bool:
        try:
            while self.waiting or self.running:
                self._drop_blocked()
                while len(self.running) < self.jobs and (run := self._next()) is not None:
                    self._start(run)
                time.sleep(_POLL)
                for training in list(self.running):
                    if training.process.poll() is not None:
                        self._finish(training)
        except BaseException:
            _stop(self.running)
            raise
        return all(self.ended.values())

    def _next(self) -> QueuedRun | None:
        """Take the first one that waits for no other."""
        for run in self.waiting:
            if all(self.ended.get(name) for name in run.after):
                self.waiting.remove(run)
                return run
        return None

    def _drop_blocked(self) -> None:
        """Give up those that wait for one that failed."""
        for run in list(self.waiting):
            failed = [name for name in run.after if self.ended.get(name) is False]
            if failed:
                self.waiting.remove(run)
                self.ended[run.name] = False
                self.report(f"{run.name}: not started: {failed[0]} is not done")

    def _start(self, run: QueuedRun) -> None:
        try:
            training = _Training.start(run)
        except OSError as error:
            reason = f"{error.filename or run.output}: {error.strerror or error}"
            self._fail(run, f"cannot be started: {reason}")
        except TrainingError as error:
            self._fail(run, str(error))
        else:
            self.running.append(training)
            self.report(f"{run.name}: started, log in {run.directory / LOG}")

    def _finish(self, training: _Training) -> None:
        self.running.remove(training)
        run, code = training.run, training.process.returncode
        if code:
            line = f"killed by {signal.Signals(-code).name}" if code < 0 else training.last_line()
            self._fail(run, line or f"ended with exit code {code}")
            return
        with contextlib.suppress(OSError):
            write_result(run, "done")
        self.ended[run.name] = True
        [status] = statuses([run])
        best = "" if status.best is None else f", best {status.best:.3f} dB"
        self.report(f"{run.name}: done, {status.step:,} steps{best}")

    def _fail(self, run: QueuedRun, line: str) -> None:
        self.ended[run.name] = False
        # A disk that is full is no reason to stop the others.
        with contextlib.suppress(OSError):
            write_result(run, "failed", line)
        self.report(f"{run.name}: failed: {line}")


@dataclass
class _Training:
    """A process that trains."""

    run: QueuedRun
    process: subprocess.Popen[bytes]
    log_start: int
    """Where this start's lines begin in the log, in bytes."""

    @classmethod
    def start(cls, run: QueuedRun) -> _Training:
        """Start or resume it.

        Raises:
            OSError: if its directory cannot be written, or no process started.
            TrainingError: if another process trains there.
        """
        run.directory.mkdir(parents=True, exist_ok=True)
        held = _lock_directory(run)
        try:
            os.utime(held)
            (run.directory / RESULT).unlink(missing_ok=True)
            with open(run.directory / LOG, "ab") as log:
                start = log.tell()
                process = subprocess.Popen(
                    [sys.executable, "-m", "tfsr.cli", "train", *run.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(),
                    # Held until the training itself has ended.
                    pass_fds=(held,),
                    # A terminal's Ctrl-C is for the queue, which stops its trainings. Not a session
                    # of its own: Linux shares the cores out between sessions first, by
                    # autogroups, and a lower priority would count within one only.
                    process_group=0,
                    preexec_fn=_prepare(os.getpid()),
                )
        finally:
            os.close(held)
        return cls(run, process, start)

    def last_line(self) -> str:
        """Return the last line of this start's log, without the program's name."""
        try:
            with open(self.run.directory / LOG, "rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(self.log_start, end - 10_000))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        line = next((line for line in reversed(lines) if line.strip()), "")
        return " ".join(line.split()).removeprefix("tfsr: ")


def _lock_directory(run: QueuedRun) -> int:
    deadline = time.monotonic() + _DEATH_SECONDS
    while (held := lock(run.directory / LOCK)) is None:
        # Perhaps the training of a queue that was killed a moment ago.
        if time.monotonic() >= deadline:
            raise TrainingError(f"{run.output}: another process trains there")
        time.sleep(_POLL)
    return held


def _prepare(parent: int) -> Callable[[], None]:
    """Make what is called in the new process, before it becomes a training."""

    def prepare() -> None:
        # A queue in the background of a script ignores it, and its children would.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _environment() -> dict[str, str]:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return {**os.environ, **_THREADS, "XLA_FLAGS": flags, "PYTHONUNBUFFERED": "1"}


def _stop(trainings: list[_Training]) -> None:
    """End processes as Ctrl-C does, and those that take too long by force."""
    processes = [training.process for training in trainings]
    for process in processes:
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _STOP_SECONDS
    try:
        for process in processes:
            process.wait(max(0.0, deadline - time.monotonic()))
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _only_queue_of(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        held = lock(lock_of(path))
    except OSError as error:
        raise TrainingError(f"{lock_of(path)}: cannot be locked: {error.strerror}") from error
    if held is None:
        raise TrainingError(f"{path}: another queue runs this list")
    try:
        yield
    finally:
        os.close(held)


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
