"""The images that are kept: the last few, by names that nobody guesses."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from math import prod

from tfsr.demo.scene import Scene
from tfsr.inference.target_size import MAX_INPUT_PIXELS

_MOST_IMAGES = 4


class Gallery:
    """Keeps images. Those that were looked at longest ago are dropped.

    Args:
        most: int. How many are kept. Defaults to 4.
        most_pixels: int. How many pixels they have together; one that has more is kept alone.
            Defaults to the most that a single image may have.
    """

    def __init__(self, most: int = _MOST_IMAGES, most_pixels: int = MAX_INPUT_PIXELS) -> None:
        self._most, self._most_pixels = most, most_pixels
        self._scenes: OrderedDict[str, Scene] = OrderedDict()

    def add(self, scene: Scene) -> str:
        """Keep an image; answers its name."""
        name = secrets.token_urlsafe(16)
        self._scenes[name] = scene
        while len(self._scenes) > 1 and self._is_full():
            self._scenes.popitem(last=False)
        return name

    def get(self, name: str) -> Scene | None:
        """The image of that name; None if it was dropped, or never was."""
        scene = self._scenes.get(name)
        if scene is not None:
            self._scenes.move_to_end(name)
        return scene

    def _is_full(self) -> bool:
        pixels = sum(prod(scene.image.size) for scene in self._scenes.values())
        return len(self._scenes) > self._most or pixels > self._most_pixels
