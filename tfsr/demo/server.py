"""The demo's server: on this computer alone, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tfsr.errors import InvalidArgument

_HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket that only this computer reaches.

    Args:
        port: 0 for any that is free.

    Raises:
        InvalidArgument: if the port cannot be had.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port whose last server has just ended is free.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or "it is no port"
        raise InvalidArgument(
            f"--port {port}: cannot be had: {reason}; give another, or 0 for any that is free"
        ) from error
    return listening


def address(listening: socket.socket) -> str:
    """What a browser calls it."""
    return f"http://{_HOST}:{listening.getsockname()[1]}/"


def serve(app: ASGIApp, listening: socket.socket, ending: threading.Event, browser: bool) -> None:
    """Serve until an interrupt, which is raised again when all is closed.

    Args:
        app: the application.
        listening: from `listen`.
        ending: is set as soon as the server shall end.
        browser: whether the page is opened in one.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    if browser:
        # Some browsers of terminals do not return before they are left.
        threading.Thread(target=webbrowser.open, args=[address(listening)], daemon=True).start()
    _Server(config, ending).run(sockets=[listening])
    # Uvicorn raises the interrupt again when all is closed; on a busy machine that was once lost
    # before the end of its event loop.
    if ending.is_set():
        raise KeyboardInterrupt


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ending: threading.Event) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)
