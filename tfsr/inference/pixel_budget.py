"""How much may be held at once between two threads."""

from __future__ import annotations

import threading


class Closed(Exception):
    """Nobody will make room any more."""


class Room:
    """Room for so many pixels. What is larger than all of it goes in alone.

    Args:
        pixels: int. How many.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._used = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self, pixels: int) -> None:
        """Wait until there is room for so many, and take it.

        Raises:
            Closed: if `close` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(pixels))
            if self._closed:
                raise Closed
            self._used += pixels

    def leave(self, pixels: int) -> None:
        """Give back what was taken."""
        with self._changed:
            self._used -= pixels
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, pixels: int) -> bool:
        return self._used == 0 or self._used + pixels <= self._pixels
