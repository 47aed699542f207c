"""Uploads of limited size."""

from __future__ import annotations

from pathlib import Path

from fastapi import HTTPException, Request


async def receive(request: Request, path: Path, max_bytes: int) -> None:
    """Write a request's body to a file; reject one that is too large as soon as that is known."""
    error = HTTPException(413, f"a file may have {max_bytes / 2**20:g} MiB at most")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise error
    count = 0
    with open(path, "wb") as file:
        async for chunk in request.stream():
            count += len(chunk)
            if count > max_bytes:
                raise error
            file.write(chunk)
