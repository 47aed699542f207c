"""Geometric self-ensemble: the mean over an image's flips and turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tfsr.geometry import DIHEDRAL_TRANSFORMS, MIRROR_TRANSFORMS, Tile
from tfsr.rendering.renderer import BatchPatch, Renderer
from tfsr.rendering.schedule import bands

# A pixel's float32 sum, and three copies while it is rounded.
_BYTES = 4 * 3 * 4


class SelfEnsembleRenderer:
    """Renders several times, and returns the mean before anything is rounded.

    A model with global coordinates has learnt what is up and what is down: it is given the image
    and its mirror image. Any other is given all eight flips and turns.

    Args:
        model: the model.
        memory: bytes that rendering may take; a quarter of it is for the sums.

    Reference:
        EDSR, Lim et al., CVPRW 2017 (arXiv 1707.02921), section 3.3: geometric self-ensemble.

    Example:
        >>> model = tfsr.models.Bicubic()
        >>> len(tfsr.rendering.SelfEnsembleRenderer(model, memory=2**20).symmetries)
        8
    """

    def __init__(self, model: Any, memory: int) -> None:
        self.symmetries = MIRROR_TRANSFORMS if model.global_coordinates else DIHEDRAL_TRANSFORMS
        self.renderer: Renderer = model.renderer(memory - memory // 4)
        self.lr_pixels = self.renderer.lr_pixels
        self.bytes_per_lr_pixel = self.renderer.bytes_per_lr_pixel
        self._pixels = memory // 4 // _BYTES

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: what these pixels and their mirror images depend on."""
        first, last = self.renderer.input_span(lr, hr, start, stop)
        mirrored_first, mirrored_last = self.renderer.input_span(lr, hr, hr - stop, hr - start)
        return min(first, lr - mirrored_last), max(last, lr - mirrored_first)

    def render(self, image: np.ndarray, tile: Tile) -> Iterator[BatchPatch]:
        """As `Renderer.render`: bands of as many rows as the memory has sums for."""
        (top, bottom), (left, right) = tile.rows, tile.columns
        for rows in bands(bottom - top, right - left, self._pixels):
            band = replace(tile, rows=(top + rows.start, top + rows.stop))
            yield rows, slice(None), self._mean(image, band)

    def _mean(self, image: np.ndarray, tile: Tile) -> np.ndarray:
        (top, bottom), (left, right) = tile.rows, tile.columns
        total = np.zeros((len(image), bottom - top, right - left, 3), np.float32)
        for symmetry in self.symmetries:
            view = symmetry.apply(total)
            patches = self.renderer.render(symmetry.apply(image), symmetry.apply_to_tile(tile))
            for rows, columns, colours in patches:
                view[:, rows, columns] += colours
        total /= len(self.symmetries)
        return total
