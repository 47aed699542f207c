"""A model as a function from picture to picture of 8 or 16 bits, of any size."""

from __future__ import annotations

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.geometry import windows
from tfsr.images import to_float
from tfsr.images.pixels import check_integers, to_integers
from tfsr.images.resizing import check_size
from tfsr.models import AnyModel, Bicubic, with_precision
from tfsr.models.painter import Painter
from tfsr.models.self_ensemble import SelfEnsemblePainter

DEFAULT_MEMORY = 2 * 2**30
"""A constant, not read from the machine: the same command gives the same bytes everywhere."""


class Upscaler:
    """Upscales pictures of 8 or 16 bits and of any size, one after the other.

    What does not fit into the budget is drawn in tiles that overlap by all that an answer depends
    on, so that tiles do not show: with EDSR the answer is that of the whole picture to 1e-5, with
    RDN to what docs/performance.md says. Coordinates are those of the whole picture.

    Compiled functions, and what depends on a picture's size alone, are kept between pictures.

    Args:
        model: the model. Its weights must not change afterwards.
        memory: int. Bytes to work in, beside the program itself and the two pictures.
            Defaults to 2 GiB.
        precision: str. "float32", or "bfloat16" for matrix products of half the width, on machines
            that have them: faster for most decoders, 55 dB or more from the exact answer. Defaults
            to "float32".
        self_ensemble: bool. Whether answers are the mean over the picture and its mirror image, or,
            of a model without global coordinates, over all flips and turns: 2 or 8 times the work
            for a slightly better picture. Defaults to False.

    Raises:
        InvalidArgument: if the memory is not positive or the precision unknown.
    """

    depth = 16
    """The most bits a channel that it keeps."""

    def __init__(
        self,
        model: AnyModel | Bicubic,
        memory: int = DEFAULT_MEMORY,
        precision: str = "float32",
        self_ensemble: bool = False,
    ) -> None:
        if memory < 1:
            raise InvalidArgument(f"memory must be a positive number of bytes; got {memory}")
        self.model = with_precision(model, precision)
        self.memory = memory
        self.painter: Painter = (
            SelfEnsemblePainter(self.model, memory) if self_ensemble else self.model.painter(memory)
        )

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 or uint16 to (H, W, 3) of the same type, H and W being `size`.

        Raises:
            InvalidArgument: if it is no picture of 8 or 16 bits, the size is impossible, or the
                memory is not enough for the smallest tile.
        """
        check_integers(image)
        height, width = check_size(size)
        painter = self.painter
        try:
            tiles = windows(image.shape[:2], (height, width), painter.reach, painter.lr_pixels)
        except InvalidArgument as error:
            raise InvalidArgument(
                f"memory of {self.memory / 2**20:.4g} MiB is not enough for this model: {error}"
            ) from error
        answer = np.empty((height, width, 3), image.dtype)
        for tile in tiles:
            lr = to_float(image[slice(*tile.lr_rows), slice(*tile.lr_columns)])
            target = answer[slice(*tile.rows), slice(*tile.columns)]
            for rows, columns, colours in painter.paint(lr[None], tile):
                target[rows, columns] = to_integers(colours[0], image.dtype)
        return answer
