"""The baseline of every table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from tfsr.models.picture import output_size_of, resize_bicubic


class Bicubic:
    """Bicubic interpolation (a = -0.5, antialiased when reducing) with a model's `upscale`.

    The same kernel as Pillow's, in float32 and not rounded between the two axes: at most one 8-bit
    level apart.
    """

    def upscale(
        self, image: Any, size: Sequence[int] | None = None, *, scale: float | None = None
    ) -> np.ndarray:
        """Resize pictures to any size.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            size: (H, W) of the answer.
            scale: factor on both sides, instead of a size.

        Returns:
            (batch, H, W, 3) float32, not clipped.

        Raises:
            InvalidArgument: as `ImplicitSR.upscale`.
        """
        return ops.convert_to_numpy(resize_bicubic(image, output_size_of(image, size, scale)))

    def bands(self, image: Any, size: Sequence[int]) -> Iterator[tuple[slice, np.ndarray]]:
        """The answer of `upscale` as one band."""
        yield slice(0, size[0]), self.upscale(image, size)
