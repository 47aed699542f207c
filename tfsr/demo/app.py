"""The demo's web application: images in, windows of them out."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from PIL import Image
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from tfsr.demo.download import Downloads, Stopped
from tfsr.demo.failures import tell_failures
from tfsr.demo.gallery import Gallery
from tfsr.demo.guard import Guard
from tfsr.demo.scene import Scene, SceneRenderer
from tfsr.demo.uploads import MOST_BYTES, receive
from tfsr.inference.request import PixelLimits
from tfsr.inference.target_size import TargetSize
from tfsr.models import ImplicitSR

_PAGE = Path(__file__).parent / "page"
_LOOK_ROUND = 0.25  # Seconds between two looks whether somebody still waits.


class Where(BaseModel):
    """A window: the size of the whole output, and a rectangle of it."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    left: int = Field(ge=0)
    top: int = Field(ge=0)
    columns: int = Field(ge=1)
    rows: int = Field(ge=1)


def create_app(
    model: ImplicitSR,
    preset: str,
    limits: PixelLimits,
    ending: threading.Event,
    most_bytes: int = MOST_BYTES,
) -> ASGIApp:
    """The application. Its errors are {"error": one line}.

    Windows are drawn one after the other, and so are whole images; the two may overlap.

    Args:
        model: what draws; its weights must not change.
        preset: its name, for the page.
        limits: of what is read, and of whole images.
        ending: set when the server ends: what is being drawn is given up then.
        most_bytes: int. The largest file that is taken. Defaults to 256 MiB.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    tell_failures(app)
    gallery, renderer, downloads = Gallery(), SceneRenderer(model), Downloads(model)
    drawing, downloading = asyncio.Lock(), asyncio.Lock()

    def kept(image: str) -> Scene:
        scene = gallery.get(image)
        if scene is None:
            raise HTTPException(404, "this image is not kept any more; choose it again")
        return scene

    async def nobody_waits(request: Request) -> bool:
        return ending.is_set() or await request.is_disconnected()

    @app.get("/settings")
    def settings() -> dict[str, Any]:
        return {"preset": preset, "most_bytes": most_bytes}

    @app.post("/images", status_code=201)
    async def add(request: Request, name: str = "the image") -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="tfsr-demo-") as folder:
            path = Path(folder) / "image"
            request.state.names = {str(path): name}
            await receive(request, path, most_bytes)
            async with drawing:
                scene = await run_in_threadpool(_read, path, limits, renderer)
        height, width = scene.image.size
        notes = list(scene.image.notes)
        return {"id": gallery.add(scene), "width": width, "height": height, "notes": notes}

    @app.get("/images/{image}/whole")
    async def whole(request: Request, image: str, scale: float) -> Response:
        source = kept(image).image
        size = TargetSize(scale=scale).of(source.size, limits.max_output_pixels)
        stop = threading.Event()
        async with downloading:
            work = asyncio.create_task(run_in_threadpool(downloads.png, source, size, stop))
            while not work.done():
                await asyncio.wait({work}, timeout=_LOOK_ROUND)
                if await nobody_waits(request):
                    stop.set()
            try:
                return Response(work.result(), media_type="image/png")
            except Stopped as error:
                raise HTTPException(503, "given up") from error

    @app.get("/images/{image}/{how}")
    async def window(
        request: Request,
        image: str,
        how: Literal["tfsr", "bicubic"],
        where: Annotated[Where, Query()],
    ) -> Response:
        scene = kept(image)
        async with drawing:
            # Who zooms on does not wait for what was asked before.
            if await nobody_waits(request):
                raise HTTPException(503, "given up")
            content = await run_in_threadpool(_window, scene, how, where)
        return Response(content, media_type="image/png")

    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return Guard(app)


def _read(path: Path, limits: PixelLimits, renderer: SceneRenderer) -> Scene:
    scene = Scene(limits.read(path), renderer)
    scene.encode()
    return scene


def _window(scene: Scene, how: str, where: Where) -> bytes:
    draw = scene.draw if how == "tfsr" else scene.draw_bicubic
    window = (where.top, where.left, where.rows, where.columns)
    return _as_png(draw((where.height, where.width), window))


def _as_png(pixels: np.ndarray) -> bytes:
    """For a way that is short: packed fast, not small."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
