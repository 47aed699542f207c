"""A bound on the pixels that wait between two threads."""

from __future__ import annotations

import threading


class BudgetClosed(Exception):
    """No pixels will be released any more."""


class PixelBudget:
    """A number of pixels that threads acquire and release. A larger amount is acquired alone.

    Args:
        pixels: int. How many.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._used = 0
        self._closed = False
        self._changed = threading.Condition()

    def acquire(self, pixels: int) -> None:
        """Wait until so many pixels are free, and take them.

        Raises:
            BudgetClosed: if `close` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(pixels))
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

    def _fits(self, pixels: int) -> bool:
        return self._used == 0 or self._used + pixels <= self._pixels
