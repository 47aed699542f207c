"""A picture of which face is which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfsr.faces.face import Face

_COLOUR, _INK = (255, 220, 0), (0, 0, 0)


def numbered(image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
    """Draw the numbered boxes of faces, and their landmarks, into a copy of an image.

    Args:
        image: (h, w, 3) uint8.
        faces: as `find` returns them; the first is number 1.

    Returns:
        (h, w, 3) uint8.

    Example:
        >>> face = tfsr.faces.Face(
        ...     (20, 30, 50, 36), 0.99, ((40, 40), (40, 56), (49, 48), (57, 40), (57, 56))
        ... )
        >>> tfsr.faces.numbered(tfsr.images.read("photo.jpg"), [face]).shape
        (80, 96, 3)
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    line = max(1, round(max(image.shape) / 600))
    font = ImageFont.load_default(size=max(10, 10 * line))
    for number, face in enumerate(faces, start=1):
        top, left, height, width = face.box
        pen.rectangle((left, top, left + width, top + height), outline=_COLOUR, width=line)
        for row, column in face.landmarks:
            pen.ellipse((column - line, row - line, column + line, row + line), fill=_COLOUR)
        label = pen.textbbox((left, top), str(number), font=font)
        pen.rectangle((*label[:2], label[2] + line, label[3] + line), fill=_COLOUR)
        pen.text((left, top), str(number), fill=_INK, font=font)
    return np.array(picture)
