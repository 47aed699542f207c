"""Uploads of limited size."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

_SECONDS = 30  # Between two parts of a body.


async def receive(request: Request, path: Path, max_bytes: int, seconds: float = _SECONDS) -> None:
    """Write a request's body to a file.

    Args:
        request: the request.
        path: the file.
        max_bytes: a larger body is rejected as soon as that is known.
        seconds: between two parts of the body.

    Raises:
        HTTPException: too large, too slow, or ended by the client.
    """
    error = HTTPException(413, f"a file may have {max_bytes / 2**20:g} MiB at most")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise error
    count = 0
    with open(path, "wb") as file:
        parts = aiter(request.stream())
        try:
            while (part := await asyncio.wait_for(anext(parts, None), seconds)) is not None:
                count += len(part)
                if count > max_bytes:
                    raise error
                file.write(part)
        except TimeoutError as late:
            raise HTTPException(408, f"nothing was received for {seconds:g} seconds") from late
        except ClientDisconnect as gone:  # Nobody reads the response.
            raise HTTPException(400, "the upload was cut short") from gone
