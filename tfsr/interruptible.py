"""Work in C libraries that Ctrl-C does not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

_NAME = "tfsr-codec"


class CodecThreads:
    """Threads for long calls of C libraries, mostly codecs, that the program does not wait for.

    Python calls the handler of a signal when the main thread is back from C, and a library may
    decode for half a minute, and encode for longer. At the end of the program these threads may be
    left where they are, except in a block of `finishing`.
    """

    def __init__(self, count: int = 1) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._finishing, self._closed, self._count = 0, False, count
        for _ in range(count):
            threading.Thread(target=self._run, name=_NAME, daemon=True).start()

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Return the future of a call."""
        future: Future[T] = Future()
        self._tasks.put((future, function, arguments))
        return future

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Enter a block that `close` waits for, as while a file is written.

        Raises:
            CancelledError: the threads are closed.
        """
        with self._changed:
            if self._closed:
                raise CancelledError
            self._finishing += 1
        try:
            yield
        finally:
            with self._changed:
                self._finishing -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Cancel what has not begun, and let the threads end; what has begun is not waited for."""
        with suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()[0].cancel()
        for _ in range(self._count):
            self._tasks.put(None)
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._finishing)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, function, arguments = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*arguments))
                except BaseException as error:
                    future.set_exception(error)
            del task, future, function, arguments  # Their memory is free for the next ones.


def interruptible(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function so that Ctrl-C is answered while it runs."""
    if threading.current_thread() is not threading.main_thread():
        return function(*arguments)
    thread = CodecThreads()
    try:
        return thread.submit(function, *arguments).result()
    finally:
        thread.close()
