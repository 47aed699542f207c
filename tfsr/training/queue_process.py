"""The processes of a queue: one training each, at the lowest priority and with one thread.

On Linux the kernel ends the trainings with the queue, even if that is killed by SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tfsr.errors import TrainingError
from tfsr.training.locks import lock
from tfsr.training.queue_list import QueuedRun
from tfsr.training.queue_status import LOCK, LOG, RESULT

# Seconds that an interrupted training has to end, and that a killed one has to release its lock.
_STOP_SECONDS, _DEATH_SECONDS = 20.0, 5.0
_LOWEST_PRIORITY = 19
_PR_SET_PDEATHSIG = 1
# One thread each for OpenMP, TensorFlow and JAX. More would compete for the same cores.
_THREADS = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",
}
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class TrainingProcess:
    """A process that starts or resumes a training.

    Raises:
        OSError: if its directory cannot be written, or the process cannot be started.
        TrainingError: if another process trains there.
    """

    def __init__(self, run: QueuedRun) -> None:
        self.run = run
        run.directory.mkdir(parents=True, exist_ok=True)
        held = _lock_directory(run)
        try:
            os.utime(held)
            (run.directory / RESULT).unlink(missing_ok=True)
            with open(run.directory / LOG, "ab") as log:
                self._log_start = log.tell()
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "tfsr", "train", *run.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(),
                    # Locked until the training itself has ended.
                    pass_fds=(held,),
                    # A terminal's Ctrl-C goes to the queue, which stops its trainings. No new
                    # session: Linux divides the cores among sessions (autogroups), and a lower
                    # priority would count within one only.
                    process_group=0,
                    preexec_fn=_prepare(os.getpid()),
                )
        finally:
            os.close(held)

    def failure(self) -> str | None:
        """Return why an ended process failed; None if it succeeded."""
        code = self.process.returncode
        if code == 0:
            return None
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return self._last_line() or f"ended with exit code {code}"

    def _last_line(self) -> str:
        """The last line of this start's log, without the program's name."""
        try:
            with open(self.run.directory / LOG, "rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, end - 10_000))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        line = next((line for line in reversed(lines) if line.strip()), "")
        return " ".join(line.split()).removeprefix("tfsr: ")


def stop_all(processes: list[subprocess.Popen[bytes]]) -> None:
    """Interrupt processes as Ctrl-C does, and kill those that take too long."""
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


def _lock_directory(run: QueuedRun) -> int:
    deadline = time.monotonic() + _DEATH_SECONDS
    while (held := lock(run.directory / LOCK)) is None:
        # Perhaps the training of a queue that was killed a moment ago.
        if time.monotonic() >= deadline:
            raise TrainingError(f"{run.output}: another process trains there")
        time.sleep(0.1)
    return held


def _prepare(parent: int) -> Callable[[], None]:
    """Make the function that is called in the new process, before it becomes a training."""

    def prepare() -> None:
        # Ignored in a script's background jobs, and inherited.
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
