"""The routes of images. One tile, one search and one whole image are computed at a time."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from fastapi import HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from tfsr.demo.download import whole_png
from tfsr.demo.face_search import FaceSearch
from tfsr.demo.layer import EncodingCache
from tfsr.demo.restorers import Restorers
from tfsr.demo.scene import Scene
from tfsr.demo.scene_cache import SceneCache
from tfsr.demo.size_queries import SizeQuery, TileQuery
from tfsr.demo.stopping import Stopped
from tfsr.demo.upload import receive
from tfsr.inference.face_choice import FaceChoice
from tfsr.inference.request import PixelLimits
from tfsr.inference.target_size import TargetSize

_POLL_SECONDS = 0.25  # Between two checks whether the client still waits.

T = TypeVar("T")
Strength = Annotated[float | None, Query(ge=0, le=1)]


class ImageRoutes:
    """The images of one server.

    Args:
        restorers: render the images.
        search: finds the faces.
        limits: of the images, and of downloads.
        ending: set when the server stops: unfinished work is abandoned.
        max_bytes: int. The largest file that is accepted.
    """

    def __init__(
        self,
        restorers: Restorers,
        search: FaceSearch,
        limits: PixelLimits,
        ending: threading.Event,
        max_bytes: int,
    ) -> None:
        self._restorers, self._search = restorers, search
        self._limits, self._ending, self._max_bytes = limits, ending, max_bytes
        self._scenes, self._encodings = SceneCache(), EncodingCache()
        self._rendering, self._searching, self._downloading = (asyncio.Lock() for _ in range(3))

    async def add(self, request: Request, name: str = "the image") -> dict[str, Any]:
        """Read the image in the request's body."""
        with tempfile.TemporaryDirectory(prefix="tfsr-demo-") as folder:
            path = Path(folder) / "image"
            request.state.names = {str(path): name}
            await receive(request, path, self._max_bytes)
            async with self._rendering:
                image = await run_in_threadpool(self._limits.read, path)
                scene = await run_in_threadpool(Scene, image, self._encodings)
        height, width = image.size
        name = self._scenes.add(scene)
        return {"id": name, "width": width, "height": height, "notes": image.notes}

    async def faces(
        self, request: Request, image: str, strength: Strength = None
    ) -> dict[str, Any]:
        """Find the faces.

        Returns:
            "faces"; the number of "parts" to encode; whether the "whole" image is one face; a
            "note"; and whether it "reduces": tiles below scale 1 depend on few pixels.
        """
        scene = self._scene(image)
        choice = await self._choice(scene, request)
        restorer = await run_in_threadpool(self._restorers.at, strength)
        return {
            **{"faces": choice.records(), "parts": scene.num_parts, "whole": choice.whole},
            "note": scene.note,
            "reduces": not choice.whole and restorer.background_renderer is None,
        }

    async def encode(
        self, request: Request, image: str, part: int, query: Annotated[SizeQuery, Query()]
    ) -> None:
        """Encode a part of the image for outputs of one size: one of the faces, or all of it."""
        scene = self._scene(image)
        await self._choice(scene, request)
        if not 0 <= part < scene.num_parts:
            raise HTTPException(422, f"part must be below {scene.num_parts}; received {part}")
        async with self._rendering:
            await self._check_wanted(request)
            restorer = await run_in_threadpool(self._restorers.at, query.strength)
            await run_in_threadpool(scene.encode, part, (query.height, query.width), restorer)

    async def tile(
        self,
        request: Request,
        image: str,
        method: Literal["tfsr", "bicubic"],
        query: Annotated[TileQuery, Query()],
    ) -> Response:
        """Render a tile as PNG."""
        scene = self._scene(image)
        size = (query.height, query.width)
        box = (query.top, query.left, query.rows, query.columns)
        if method == "tfsr":
            await self._choice(scene, request)

        def rendered() -> np.ndarray:
            if method == "bicubic":
                return scene.render_bicubic(size, box)
            return scene.render(size, box, self._restorers.at(query.strength))

        async with self._rendering:
            await self._check_wanted(request)
            content = await run_in_threadpool(lambda: _as_png(rendered()))
        return Response(content, media_type="image/png")

    async def whole(
        self, request: Request, image: str, scale: float, strength: Strength = None
    ) -> Response:
        """Render the whole image as PNG, as `tfsr upscale --faces auto` does."""
        scene = self._scene(image)
        most = self._limits.max_output_pixels
        size = TargetSize(scale=scale).output_size(scene.image.size, most)
        choice = await self._choice(scene, request)

        def restored(stop: threading.Event) -> bytes | memoryview:
            restorer = self._restorers.at(strength)
            return whole_png(scene.image, size, choice, restorer, stop)

        async with self._downloading:
            return Response(await self._stoppable(restored, request), media_type="image/png")

    def _scene(self, image: str) -> Scene:
        scene = self._scenes.get(image)
        if scene is None:
            raise HTTPException(404, "this image is no longer cached; choose it again")
        return scene

    async def _choice(self, scene: Scene, request: Request) -> FaceChoice:
        """What of the image is restored; the faces are searched once."""
        search = partial(self._search.choose, scene.image)
        async with self._searching:
            if scene.choice is not None:
                return scene.choice
            choice, note = await self._stoppable(search, request)
            scene.choose(choice, note)
            return choice

    async def _stoppable(self, work: Callable[[threading.Event], T], request: Request) -> T:
        """Run work in a thread; stop it when nobody waits any more."""
        stop = threading.Event()
        task = asyncio.create_task(run_in_threadpool(work, stop))
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_SECONDS)
            if await self._is_abandoned(request):
                stop.set()
        try:
            return task.result()
        except Stopped as error:
            raise HTTPException(503, "cancelled") from error

    async def _check_wanted(self, request: Request) -> None:
        """Skip tiles that the page has zoomed past."""
        if await self._is_abandoned(request):
            raise HTTPException(503, "cancelled")

    async def _is_abandoned(self, request: Request) -> bool:
        return self._ending.is_set() or await request.is_disconnected()


def _as_png(pixels: np.ndarray) -> bytes:
    """A PNG file that is compressed fast, not well: it does not leave this computer."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
