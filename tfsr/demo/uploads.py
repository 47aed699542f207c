"""Bodies of requests, on their way into files."""

from __future__ import annotations

from pathlib import Path

from fastapi import HTTPException, Request

MOST_BYTES = 2**28
"""The largest file that is taken: 256 MiB."""


async def receive(request: Request, path: Path, most: int = MOST_BYTES) -> None:
    """Write a request's body to a file.

    Raises:
        HTTPException: if it has more bytes than that, as soon as this is known.
    """
    announced = request.headers.get("content-length", "0")
    count = int(announced) if announced.isdecimal() else 0
    _check(count, most)
    count = 0
    with open(path, "wb") as file:
        async for chunk in request.stream():
            count += len(chunk)
            _check(count, most)
            file.write(chunk)


def _check(count: int, most: int) -> None:
    if count > most:
        raise HTTPException(413, f"a file may have {most / 2**20:g} MiB at most")
