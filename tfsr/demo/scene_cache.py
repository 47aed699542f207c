"""The images in memory: the last few, by random names."""

from __future__ import annotations

import secrets
from math import prod

from tfsr.demo.scene import Scene
from tfsr.inference.target_size import MAX_INPUT_PIXELS


class SceneCache:
    """Caches scenes; the least recently used are dropped.

    Args:
        max_scenes: int. Defaults to 4.
        max_pixels: int. Of all scenes together; one that has more is cached alone. Defaults to the
            limit of a single image.
    """

    def __init__(self, max_scenes: int = 4, max_pixels: int = MAX_INPUT_PIXELS) -> None:
        self._max_scenes, self._max_pixels = max_scenes, max_pixels
        self._scenes: dict[str, Scene] = {}  # In the order of their last use.

    def add(self, scene: Scene) -> str:
        """Cache a scene and return its name."""
        name = secrets.token_urlsafe(16)
        self._scenes[name] = scene
        while len(self._scenes) > 1 and self._is_full():
            del self._scenes[next(iter(self._scenes))]
        return name

    def get(self, name: str) -> Scene | None:
        """Return the scene of that name, or None."""
        scene = self._scenes.pop(name, None)
        if scene is not None:
            self._scenes[name] = scene
        return scene

    def _is_full(self) -> bool:
        pixels = sum(prod(scene.image.size) for scene in self._scenes.values())
        return len(self._scenes) > self._max_scenes or pixels > self._max_pixels
