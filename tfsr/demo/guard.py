"""Access control: the server's own page, for those who know its address."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOSTS = ("127.0.0.1", "localhost")

# The page loads nothing from elsewhere, and no other page embeds or reads what is served.
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
    """ASGI middleware against other users of this computer, and other pages in its browsers.

    Paths begin with a token, which other users do not know. Other Host headers are rejected, to
    prevent DNS rebinding, and so are uploads from other pages. Security headers are added to all
    responses.

    Args:
        app: the guarded application, whose paths are without the token.
        token: first part of every path; none if it is empty.
    """

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self.app = app
        self._prefix = f"/{token}" if token else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP; other connections, such as WebSockets, are ignored."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        reason = _rejection(scope["method"], Headers(scope=scope))
        path, length = scope["path"], len(self._prefix)
        if reason is None and self._prefix:
            given, rest = path[:length], path[length:]
            known = hmac.compare_digest(given.encode(), self._prefix.encode())
            if not known or not rest.startswith("/"):
                reason = "open the whole address that tfsr demo printed"
            scope = {**scope, "path": rest, "raw_path": rest.encode()}
        app = self.app if reason is None else JSONResponse({"error": reason}, 403)
        await app(scope, receive, send_with_headers)


def _rejection(method: str, headers: Headers) -> str | None:
    """Why a request is rejected, or None."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name_of(hosts[0]) not in _HOSTS:
        return f"Host must be {' or '.join(_HOSTS)}; received {', '.join(hosts)}"
    origin = headers.get("origin", f"http://{hosts[0]}")
    site = headers.get("sec-fetch-site", "same-origin")
    foreign = origin != f"http://{hosts[0]}" or site not in ("same-origin", "none")
    if foreign and method not in ("GET", "HEAD"):
        return "images are accepted from this server's own page only"
    return None


def _name_of(host: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
