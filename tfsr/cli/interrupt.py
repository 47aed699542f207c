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


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """End as by Ctrl-C on SIGTERM too: reports are written, temporary files and children end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: Any) -> None:
    # The handler of Ctrl-C knows where the program is; in the background there may be none.
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(number, frame)
    raise KeyboardInterrupt
