"""Errors as {"error": one line}, which the page shows."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tfsr.errors import TfsrError


def add_error_responses(app: FastAPI) -> None:
    """Register the exception handlers of an application.

    A request's `state.names` maps paths of temporary files to the names that the client gave them.
    """

    @app.exception_handler(TfsrError)
    async def invalid(request: Request, error: TfsrError) -> JSONResponse:
        line = str(error)
        for path, name in getattr(request.state, "names", {}).items():
            line = line.replace(path, name)
        return _response(400, line)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return _response(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid_query(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _response(422, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        # ResourceExhaustedError is the backend's MemoryError; no backend is imported here.
        if type(error).__name__ in ("MemoryError", "ResourceExhaustedError"):
            return _response(507, "not enough memory for this image")
        return _response(500, "internal error; see the terminal")


def _response(status: int, line: str) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status)
