"""A bound on the pixels that wait between two threads."""

from __future__ import annotations

import threading


class BudgetClosed(Exception):
    """No pixels will be released any more."""


class PixelBudget:
    """A number of pixels that threads acquire and release. A larger amount is acquired alone."""

    def __init__(self, pixels: int) -> None:
        self._pixels, self._used, self._closed = pixels, 0, False
        self._changed = threading.Condition()

    def acquire(self, pixels: int) -> None:
        """Wait until so many pixels are free, and take them; `BudgetClosed` after `close`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._used or self._used + pixels <= self._pixels
            )
            if self._closed:
                raise BudgetClosed
            self._used += pixels

    def release(self, pixels: int) -> None:
        """Give back what was acquired."""
        with self._changed:
            self._used -= pixels
            self._changed.notify_all()

    def close(self) -> None:
        """End every wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
