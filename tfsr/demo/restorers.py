"""A preset at several strengths."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tfsr.demo.layer_renderer import LayerRenderer
from tfsr.errors import InvalidArgument
from tfsr.inference import ModelUpscaler
from tfsr.inference.defaults import BACKGROUND
from tfsr.inference.loading import load_background
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.inference.upscaler import Upscaler
from tfsr.models import ImplicitSR, folded
from tfsr.presets import from_preset

_MAX_CACHED = 3


class Restorer:
    """What restores photographs at one strength.

    Args:
        model: of faces. Its weights must not change.
        background: what upscales all else, by bicubic or a model of any scale.

    Attributes:
        faces: upscales faces.
        background: as given.
        face_renderer: renders tiles of faces.
        background_renderer: renders tiles of all else; None for bicubic.
    """

    def __init__(self, model: ImplicitSR, background: Upscaler) -> None:
        self.faces, self.background = ModelUpscaler(model), background
        self.face_renderer = LayerRenderer(model)
        other = getattr(background, "model", None)
        self.background_renderer = LayerRenderer(other) if isinstance(other, ImplicitSR) else None


class Restorers:
    """The restorers of the last few strengths; each is loaded when it is asked for.

    Args:
        load: returns that of a strength; None is the preset as it is.
    """

    def __init__(self, load: Callable[[float | None], Restorer]) -> None:
        self._load, self._lock = load, threading.Lock()
        self._cached: dict[float | None, Restorer] = {}  # In the order of their last use.

    def at(self, strength: float | None) -> Restorer:
        """Return the restorer of a strength.

        Raises:
            PresetError: if it cannot be loaded, or there is no clean twin.
        """
        with self._lock:
            restorer = self._cached.pop(strength, None) or self._load(strength)
            self._cached[strength] = restorer
            while len(self._cached) > _MAX_CACHED:
                del self._cached[next(iter(self._cached))]
            return restorer


def load_restorer(
    preset: str, strength: float | None = None, background: str = BACKGROUND
) -> Restorer:
    """Load a restorer.

    Args:
        preset: of faces: a name, or a directory.
        strength: as of `tfsr.from_preset`, of both presets.
        background: a preset of all else, or "bicubic".

    Raises:
        PresetError: as `tfsr.from_preset` does.
        InvalidArgument: if the preset renders one scale.
    """
    model = from_preset(preset, strength)
    if not isinstance(model, ImplicitSR):
        raise InvalidArgument(f"{preset}: renders one scale; name a preset of any scale")
    rest = load_background(background, memory=DEFAULT_MEMORY, strength=strength)
    return Restorer(folded(model), rest)
