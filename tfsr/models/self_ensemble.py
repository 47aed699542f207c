"""The mean of what a model answers to an image's flips and turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tfsr.geometry import DIHEDRAL_TRANSFORMS, MIRROR_TRANSFORMS, Tile
from tfsr.models.bicubic import Bicubic
from tfsr.models.configuration import AnyModel
from tfsr.models.implicit_sr import ImplicitSR
from tfsr.models.renderer import Patch, Renderer

# A pixel's float32 sum, and three copies while it is rounded.
_BYTES = 4 * 3 * 4


class SelfEnsembleRenderer:
    """Draws with a painter several times, and answers the mean before anything is rounded.

    A model that knows where in the image it is has learnt what is up and what is down: it is
    shown the image and its mirror image. Any other is shown all eight flips and turns.

    Args:
        model: the model.
        memory: int. Bytes that drawing may take; a quarter of it is for the sums.

    Reference:
        EDSR, Lim et al., CVPRW 2017 (arXiv 1707.02921), section 3.3: geometric self-ensemble.
    """

    def __init__(self, model: AnyModel | Bicubic, memory: int) -> None:
        upright = isinstance(model, ImplicitSR) and model.decoder.global_coordinates
        self.symmetries = MIRROR_TRANSFORMS if upright else DIHEDRAL_TRANSFORMS
        self.renderer: Renderer = model.renderer(memory - memory // 4)
        self.lr_pixels, self.bytes_per_lr_pixel = (
            self.renderer.lr_pixels,
            self.renderer.bytes_per_lr_pixel,
        )
        self._pixels = memory // 4 // _BYTES

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: what these pixels and their mirror images are drawn from."""
        first, last = self.renderer.input_span(lr, hr, start, stop)
        mirrored_first, mirrored_last = self.renderer.input_span(lr, hr, hr - stop, hr - start)
        return min(first, lr - mirrored_last), max(last, lr - mirrored_first)

    def render(self, image: np.ndarray, window: Tile) -> Iterator[Patch]:
        """As `Renderer.render`: bands of rows, as many as there is room for their sums."""
        (top, bottom), (left, right) = window.rows, window.columns
        count = max(1, self._pixels // (right - left))
        for start in range(top, bottom, count):
            band = replace(window, rows=(start, min(start + count, bottom)))
            rows = slice(start - top, band.rows[1] - top)
            yield rows, slice(None), self._mean(image, band)

    def _mean(self, image: np.ndarray, window: Tile) -> np.ndarray:
        (top, bottom), (left, right) = window.rows, window.columns
        total = np.zeros((len(image), bottom - top, right - left, 3), np.float32)
        for symmetry in self.symmetries:
            view = symmetry.of(total)
            pieces = self.renderer.render(symmetry.of(image), symmetry.of_tile(window))
            for rows, columns, colours in pieces:
                view[:, rows, columns] += colours
        total /= len(self.symmetries)
        return total
