"""The demo's web application: images in, tiles of the output out."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from PIL import Image
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from tfsr.demo.error_responses import add_error_responses
from tfsr.demo.guard import Guard
from tfsr.demo.scene import Scene, SceneRenderer
from tfsr.demo.scene_cache import SceneCache
from tfsr.images import DecodedImage
from tfsr.images.encoding import encode
from tfsr.images.formats import FORMATS
from tfsr.inference import Upscaler, load_upscaler
from tfsr.inference.request import PixelLimits
from tfsr.inference.target_size import TargetSize
from tfsr.inference.upscale_image import upscale_image
from tfsr.models import ImplicitSR

MAX_BYTES = 2**28
"""The largest file that is accepted: 256 MiB."""

_PAGE = Path(__file__).parent / "page"
_POLL_SECONDS = 0.25  # Between two checks whether the client still waits.


class TileQuery(BaseModel):
    """The size of the whole output, and a rectangle of it."""

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
    max_bytes: int = MAX_BYTES,
) -> ASGIApp:
    """Create the application. Its errors are {"error": one line}.

    Args:
        model: renders the images; its weights must not change.
        preset: its name, for the page.
        limits: of the images, and of downloads.
        ending: set when the server stops: unfinished work is abandoned.
        max_bytes: int. The largest file that is accepted. Defaults to 256 MiB.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_error_responses(app)
    images = _Images(model, limits, ending, max_bytes)

    @app.get("/settings")
    def settings() -> dict[str, Any]:
        return {"preset": preset, "max_bytes": max_bytes}

    app.post("/images", status_code=201)(images.add)
    app.get("/images/{image}/whole")(images.whole)
    app.get("/images/{image}/{method}")(images.tile)
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return Guard(app)


class _Images:
    """The routes of images. One tile and one whole image are computed at a time."""

    def __init__(
        self, model: ImplicitSR, limits: PixelLimits, ending: threading.Event, max_bytes: int
    ) -> None:
        self._limits, self._ending, self._max_bytes = limits, ending, max_bytes
        self._scenes, self._renderer = SceneCache(), SceneRenderer(model)
        self._upscaler = load_upscaler(model)
        self._rendering, self._downloading = asyncio.Lock(), asyncio.Lock()

    async def add(self, request: Request, name: str = "the image") -> dict[str, Any]:
        """Read and encode the image in the request's body."""
        with tempfile.TemporaryDirectory(prefix="tfsr-demo-") as folder:
            path = Path(folder) / "image"
            request.state.names = {str(path): name}
            await _receive(request, path, self._max_bytes)
            async with self._rendering:
                scene = await run_in_threadpool(self._read, path)
        height, width = scene.image.size
        notes = list(scene.image.notes)
        return {"id": self._scenes.add(scene), "width": width, "height": height, "notes": notes}

    async def tile(
        self,
        request: Request,
        image: str,
        method: Literal["tfsr", "bicubic"],
        query: Annotated[TileQuery, Query()],
    ) -> Response:
        """Render a tile as PNG."""
        scene = self._scene(image)
        render = scene.render if method == "tfsr" else scene.render_bicubic
        size = (query.height, query.width)
        box = (query.top, query.left, query.rows, query.columns)
        async with self._rendering:
            # Tiles that the page has zoomed past are skipped.
            if await self._is_abandoned(request):
                raise HTTPException(503, "cancelled")
            content = await run_in_threadpool(lambda: _as_png(render(size, box)))
        return Response(content, media_type="image/png")

    async def whole(self, request: Request, image: str, scale: float) -> Response:
        """Render the whole image as PNG, as `tfsr upscale` does."""
        source = self._scene(image).image
        size = TargetSize(scale=scale).output_size(source.size, self._limits.max_output_pixels)
        stop = threading.Event()
        upscaler = _StoppableUpscaler(self._upscaler, stop)
        async with self._downloading:
            work = asyncio.create_task(run_in_threadpool(_whole_png, source, size, upscaler))
            while not work.done():
                await asyncio.wait({work}, timeout=_POLL_SECONDS)
                if await self._is_abandoned(request):
                    stop.set()
            try:
                return Response(work.result(), media_type="image/png")
            except _Stopped as error:
                raise HTTPException(503, "cancelled") from error

    def _scene(self, image: str) -> Scene:
        scene = self._scenes.get(image)
        if scene is None:
            raise HTTPException(404, "this image is no longer cached; choose it again")
        return scene

    def _read(self, path: Path) -> Scene:
        scene = Scene(self._limits.read(path), self._renderer)
        scene.encode()
        return scene

    async def _is_abandoned(self, request: Request) -> bool:
        return self._ending.is_set() or await request.is_disconnected()


class _Stopped(Exception):
    """Nobody waits for the image any more."""


class _StoppableUpscaler(Upscaler):
    """An upscaler that another thread can stop between two patches."""

    def __init__(self, upscaler: Upscaler, stop: threading.Event) -> None:
        self.kind, self.bit_depth = upscaler.kind, upscaler.bit_depth
        self._upscaler, self._stop = upscaler, stop

    def patches(self, image: np.ndarray, size: tuple[int, int]) -> Iterator[Any]:
        for patch in self._upscaler.patches(image, size):
            if self._stop.is_set():
                raise _Stopped
            yield patch


async def _receive(request: Request, path: Path, max_bytes: int) -> None:
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


def _whole_png(
    image: DecodedImage, size: tuple[int, int], upscaler: Upscaler
) -> bytes | memoryview:
    return encode(upscale_image(image, size, upscaler), FORMATS["PNG"])[0]


def _as_png(pixels: np.ndarray) -> bytes:
    """A PNG file that is compressed fast, not well: it does not leave this computer."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
