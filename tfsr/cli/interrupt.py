"""Ctrl-C that is not lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupt:
    """Remembers an interrupt, for `check` to raise again.

    Python raises KeyboardInterrupt wherever the program is. Inside a finaliser, and TensorFlow has
    many, it is printed and forgotten, and the program continues.

    Use as a context manager, in the main thread.
    """

    def __init__(self) -> None:
        self._happened = False

    def __enter__(self) -> Interrupt:
        self._handler = signal.signal(signal.SIGINT, self._on_interrupt)
        self._hook = sys.unraisablehook
        sys.unraisablehook = self._on_unraisable
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._handler)
        sys.unraisablehook = self._hook

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was one and the program continued."""
        if self._happened:
            raise KeyboardInterrupt

    def _on_interrupt(self, *_: object) -> None:
        self._happened = True
        raise KeyboardInterrupt

    def _on_unraisable(self, failure: Any) -> None:
        if not isinstance(failure.exc_value, KeyboardInterrupt):
            self._hook(failure)


_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_received = signal.SIGINT


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """End as by Ctrl-C on SIGTERM and SIGHUP too: reports are written, children end."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        # Not what was ignored, as by nohup.
        before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def exit_code() -> int:
    """The exit code of an interrupted program, as shells have it: 130, or 143 after SIGTERM."""
    return 128 + _received


def _interrupt(number: int, frame: Any) -> None:
    global _received
    _received = signal.Signals(number)
    # The handler of Ctrl-C knows where the program is; in the background there may be none.
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(number, frame)
    raise KeyboardInterrupt
