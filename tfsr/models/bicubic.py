"""The baseline of every table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from tfsr.backend import is_traced
from tfsr.geometry import cubic_axis
from tfsr.hints import checked_arguments
from tfsr.models.arguments import output_size_of
from tfsr.rendering import BicubicRenderer
from tfsr.rendering.bicubic_renderer import resize
from tfsr.rendering.renderer import Renderer


class Bicubic:
    """Bicubic interpolation (a = -0.5, antialiased when reducing) with a model's `upscale`.

    The same kernel as Pillow's, in float32 and not rounded between the two axes.

    Example:
        >>> tfsr.models.Bicubic().upscale(np.zeros((1, 8, 8, 3), np.float32), scale=1.5).shape
        (1, 12, 12, 3)
    """

    global_coordinates = False

    @checked_arguments()
    def upscale(
        self, image: Any, size: Sequence[int] | None = None, *, scale: float | None = None
    ) -> np.ndarray:
        """Resize images (batch, h, w, 3) in [0, 1] to any size; as `ImplicitSR.upscale`."""
        size = output_size_of(image, size, scale)
        rows, columns = (
            cubic_axis(lr, hr, 0, hr) for lr, hr in zip(image.shape[1:3], size, strict=True)
        )
        if is_traced(image):
            return ops.einsum("ih,jw,bhwc->bijc", rows, columns, image)
        return resize(np.asarray(ops.convert_to_numpy(image), np.float32), rows, columns)

    def renderer(self, memory: int) -> Renderer:
        """Make a renderer of tiles of the output, in `memory` bytes."""
        return BicubicRenderer(memory)
