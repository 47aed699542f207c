"""Who may use the server: the page that it serves itself, and programs of this computer."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOSTS = ("127.0.0.1", "localhost")
_READING = ("GET", "HEAD")

# Nothing is loaded from another place, and no other page shows or reads what is served.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets nobody in but this computer's own page, and tells browsers to let nothing out.

    A web page elsewhere can make its visitor's browser send requests to this computer. By a name
    of its own that leads here it would even be told the outputs, so other Host headers are refused;
    and so is all that changes something and comes from another page.

    Args:
        app: what is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it; of connections, nothing but HTTP is served."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = _refusal(scope["method"], Headers(scope=scope))
        app = self.app if refusal is None else JSONResponse({"error": refusal}, 403)
        await app(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> str | None:
    """Why a request is refused; None if it is not."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name_of(hosts[0]) not in _HOSTS:
        return f"this server is called {' or '.join(_HOSTS)}; got Host: {', '.join(hosts)}"
    origin = headers.get("origin", f"http://{hosts[0]}")
    site = headers.get("sec-fetch-site", "same-origin")
    foreign = origin != f"http://{hosts[0]}" or site not in ("same-origin", "none")
    if foreign and method not in _READING:
        return "images are taken from this server's own page alone"
    return None


def _name_of(host: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
