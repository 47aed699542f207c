"""The demo's server: on this computer only, until Ctrl-C."""

from __future__ import annotations

import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tfsr.errors import InvalidArgument

_HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Open a socket on the loopback interface.

    Args:
        port: 0 for any that is free.

    Raises:
        InvalidArgument: if the port is not available.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # The port of a server that has just ended is free.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or "it is no port"
        raise InvalidArgument(
            f"{port} is not available: {reason}; give another, or 0 for any that is free", "port"
        ) from error
    return listening


def address(listening: socket.socket, token: str) -> str:
    """Return the page's URL."""
    return f"http://{_HOST}:{listening.getsockname()[1]}/{token}/"


def serve(
    app: ASGIApp, listening: socket.socket, ending: threading.Event, page: str | None
) -> None:
    """Serve until an interrupt, which is raised again after shutdown.

    Args:
        app: the application.
        listening: from `listen`.
        ending: set when shutdown begins.
        page: URL to open in a browser; None: none.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    with _in_browser(page):
        _Server(config, ending).run(sockets=[listening])
    # On a busy machine the interrupt that uvicorn raises again was once lost in its event loop.
    if ending.is_set():
        raise KeyboardInterrupt


@contextmanager
def _in_browser(page: str | None) -> Iterator[None]:
    """Open a page by a file that leads to it: other users see the command lines of browsers."""
    if page is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tfsr-") as folder:  # Its owner's alone.
        file = Path(folder, "demo.html")
        file.write_text(
            f'<!doctype html><meta http-equiv="refresh" content="0; url={page}">'
            f'<title>tfsr demo</title><a href="{page}">tfsr demo</a>\n'
        )
        # `open` blocks until a terminal's browser is closed.
        threading.Thread(target=webbrowser.open, args=[file.as_uri()], daemon=True).start()
        yield


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ending: threading.Event) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)
