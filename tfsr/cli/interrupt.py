"""Ctrl-C, and the signals that end a program, which are not lost."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
# Between two looks at the main thread.
_SECONDS = 0.2
_MAIN_THREAD = threading.main_thread().ident or 0

_received = signal.SIGINT


class InterruptedExit(SystemExit):
    """The end of an interrupted program, when all is tidied up; `end_now` comes next."""


def end_now() -> NoReturn:
    """End the program without the interpreter's own end.

    That may crash over a library whose import was interrupted, or a thread in the midst of C code.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code())


def exit_code() -> int:
    """The exit code of an interrupted program, as shells have it: 130, or 143 after SIGTERM."""
    return 128 + _received


@contextmanager
def interruptions() -> Iterator[InterruptWatch]:
    """Raise KeyboardInterrupt on SIGINT, SIGTERM and SIGHUP, again if it is lost.

    Python raises it wherever the program is. Inside a finaliser, and TensorFlow has many, it is
    printed and forgotten; a library that tries whether something can be imported may take it for
    a failure.
    """
    watch = InterruptWatch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # Not what was ignored, as by nohup.
    defaults = (signal.SIG_DFL, signal.default_int_handler)
    taken = {number: handler for number, handler in before.items() if handler in defaults}
    hook = sys.unraisablehook
    for number in taken:
        signal.signal(number, watch.on_signal)
    sys.unraisablehook = _without_interrupts(hook)
    try:
        yield watch
    finally:
        watch.end()
        sys.unraisablehook = hook
        for number, handler in taken.items():
            signal.signal(number, handler)


class InterruptWatch:
    """Repeats a signal until the exception that it raised ends the main thread's work."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        global _received
        if self._ended.is_set():
            return
        _received = signal.Signals(number)
        if self._thread is None:
            self._thread = threading.Thread(target=self._repeat, name="tfsr-interrupt", daemon=True)
            self._thread.start()
        raise KeyboardInterrupt

    def end(self) -> bool:
        """Ignore further signals; return whether there was one."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        return self._thread is not None

    def _repeat(self) -> None:
        lost = 0
        while not self._ended.wait(_SECONDS):
            lost = 0 if _is_interrupted() else lost + 1
            if lost > 1:
                _send_to_main_thread(_received)


def _send_to_main_thread(number: signal.Signals) -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(_MAIN_THREAD, number)  # Wakes it from a wait.
    else:
        _thread.interrupt_main(number)


def _is_interrupted() -> bool:
    """Whether the main thread is in code that handles KeyboardInterrupt, or leaves by it."""
    error: Any = sys._current_exceptions().get(_MAIN_THREAD)
    if isinstance(error, tuple):  # Python 3.11
        error = error[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _without_interrupts(hook: Any) -> Any:
    def on_unraisable(failure: Any) -> None:
        if not isinstance(failure.exc_value, KeyboardInterrupt):
            hook(failure)

    return on_unraisable
