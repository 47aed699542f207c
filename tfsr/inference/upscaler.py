"""A model as a function from 8-bit picture to 8-bit picture."""

from __future__ import annotations

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.images import to_float, to_uint8
from tfsr.images.pixels import check_uint8
from tfsr.models import AnyModel, Bicubic

# The LR picture is encoded whole. The feature maps that are alive together take about 2 KiB a
# pixel with the shipped preset and 8 KiB with a full-size model, 16 GiB at this limit.
MAX_INPUT_PIXELS = 2 * 2**20


class Upscaler:
    """Upscales 8-bit pictures, one after the other.

    The answer is made and rounded in bands of rows: beside the encoded LR picture, memory is that
    of the 8-bit answer (a fixed-scale model, or bicubic, has it whole in float32 as well).

    Args:
        model: the model, used as it is.
    """

    def __init__(self, model: AnyModel | Bicubic) -> None:
        self.model = model

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 to (H, W, 3) uint8, H and W being `size`.

        Raises:
            InvalidArgument: if it is no 8-bit picture, or has more pixels than can be encoded.
        """
        check_uint8(image)
        height, width = image.shape[:2]
        if height * width > MAX_INPUT_PIXELS:
            raise InvalidArgument(
                f"{width}x{height} is {height * width / 1e6:.3g} megapixels; pictures are encoded "
                f"whole, up to {MAX_INPUT_PIXELS / 1e6:.2g}: crop to the face first"
            )
        bands = self.model.bands(to_float(image)[None], size)
        answer = np.empty((*size, 3), np.uint8)
        for rows, colours in bands:
            answer[rows] = to_uint8(colours[0])
        return answer
