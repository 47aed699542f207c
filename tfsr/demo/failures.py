"""What goes wrong, as {"error": one line}, which the page shows."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tfsr.errors import TfsrError


def tell_failures(app: FastAPI) -> None:
    """Give an application its outputs to errors.

    A request's `state.names` says what files of the server are called by who sent them.
    """

    @app.exception_handler(TfsrError)
    async def refused(request: Request, error: TfsrError) -> JSONResponse:
        line = str(error)
        for path, name in getattr(request.state, "names", {}).items():
            line = line.replace(path, name)
        return _told(400, line)

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> JSONResponse:
        return _told(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def misasked(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _told(422, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        # What the backend raises where NumPy raises MemoryError; no backend is imported here.
        if type(error).__name__ in ("MemoryError", "ResourceExhaustedError"):
            return _told(507, "not enough memory for this image")
        return _told(500, "something went wrong; the terminal says what")


def _told(status: int, line: str) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status)
