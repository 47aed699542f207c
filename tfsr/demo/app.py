"""The demo's web application: images in, faces and tiles of the output out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tfsr.demo.error_responses import add_error_responses
from tfsr.demo.face_search import FaceSearch
from tfsr.demo.guard import Guard
from tfsr.demo.image_routes import ImageRoutes
from tfsr.demo.restorers import Restorers
from tfsr.inference.request import PixelLimits

MAX_BYTES = 2**28
"""The largest file that is accepted: 256 MiB."""

_PAGE = Path(__file__).parent / "page"


def create_app(
    restorers: Restorers,
    search: FaceSearch,
    preset: str,
    limits: PixelLimits,
    ending: threading.Event,
    strength: float | None = None,
    max_bytes: int = MAX_BYTES,
    token: str = "",
) -> ASGIApp:
    """Create the application. Its errors are {"error": one line}.

    Args:
        restorers: render the images.
        search: finds the faces.
        preset: its name, for the page.
        limits: of the images, and of downloads.
        ending: set when the server stops: unfinished work is abandoned.
        strength: at which the page opens; None if the preset takes none.
        max_bytes: int. The largest file that is accepted. Defaults to 256 MiB.
        token: str. First part of every path, which keeps other users out. Defaults to none.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_error_responses(app)
    images = ImageRoutes(restorers, search, limits, ending, max_bytes)

    @app.get("/settings")
    def settings() -> dict[str, Any]:
        return {"preset": preset, "strength": strength, "max_bytes": max_bytes}

    app.post("/images", status_code=201)(images.add)
    app.get("/images/{image}/faces")(images.faces)
    app.get("/images/{image}/parts/{part}", status_code=204)(images.encode)
    app.get("/images/{image}/whole")(images.whole)
    app.get("/images/{image}/{method}")(images.tile)
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return Guard(app, token)
