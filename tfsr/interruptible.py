"""Work in C libraries that Ctrl-C does not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_NAME = "tfsr-decoding"


class DecodingThread:
    """A thread that does one thing after the other, and that the program does not wait for.

    Python calls the handler of a signal when the main thread is back from C, and a library may
    decode for half a minute. So what decodes is another thread, and at the end of the program it
    may be left where it is: it has nothing to tidy up.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=_NAME, daemon=True).start()

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Return the future of a call."""
        future: Future[T] = Future()
        self._tasks.put((future, function, arguments))
        return future

    def close(self) -> None:
        """Cancel what has not begun, and let the thread end; what has begun is not waited for."""
        with suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()[0].cancel()
        self._tasks.put(None)

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
    thread = DecodingThread()
    try:
        return thread.submit(function, *arguments).result()
    finally:
        thread.close()


def is_decoding() -> bool:
    """Whether a thread was left at its work."""
    threads = [thread for thread in threading.enumerate() if thread.name == _NAME]
    for thread in threads:
        thread.join(0.1)  # One without work ends at once.
    return any(thread.is_alive() for thread in threads)
