"""Drawing a sheet: rows of images side by side, with words over and under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 8
_LINE = 18
_INK, _PAPER = (32, 32, 32), (255, 255, 255)
_FRAME = 2


@dataclass(frozen=True)
class Row:
    """Images side by side.

    Attributes:
        panels: (h, w, 3) uint8, all of one size, no wider than the sheet's columns.
        captions: what stands under each of them.
        frame: colour of the line around each of them, or None.
    """

    panels: Sequence[np.ndarray]
    captions: Sequence[str]
    frame: tuple[int, int, int] | None = None

    @property
    def height(self) -> int:
        """Pixels of its panels."""
        return self.panels[0].shape[0]


class Sheet:
    """What a sheet holds, and how large that makes it.

    Args:
        title: above all, in as many lines as it takes.
        names: of the columns.
        column: int. Pixels that a column is wide.
    """

    def __init__(self, title: str, names: Sequence[str], column: int) -> None:
        self.names, self.column = names, column
        self.width = GAP + len(names) * (column + GAP)
        self._heading = _wrapped(title, self.width - 2 * GAP)
        self._top = GAP + _LINE * (len(self._heading) + 1)

    def size(self, heights: Sequence[int]) -> tuple[int, int]:
        """(H, W) of the sheet, of rows whose panels are so high."""
        return self._top + sum(height + _LINE + GAP for height in heights), self.width

    def draw(self, rows: Sequence[Row]) -> np.ndarray:
        """The sheet, (H, W, 3) uint8."""
        height, width = self.size([row.height for row in rows])
        canvas = Image.new("RGB", (width, height), _PAPER)
        pen = ImageDraw.Draw(canvas)
        for i, line in enumerate(self._heading):
            _write(pen, (GAP, GAP + _LINE * i), line, width - 2 * GAP)
        for left, name in zip(self._lefts(), self.names, strict=True):
            _write(pen, (left, self._top - _LINE), name, self.column)
        top = self._top
        for row in rows:
            for left, panel, text in zip(self._lefts(), row.panels, row.captions, strict=True):
                if row.frame is not None:
                    pen.rectangle(around((left, top), panel.shape), row.frame)
                canvas.paste(Image.fromarray(panel), (left, top))
                _write(pen, (left, top + row.height + _FRAME), text, self.column)
            top += row.height + _LINE + GAP
        return np.array(canvas)

    def _lefts(self) -> range:
        return range(GAP, self.width, self.column + GAP)


def around(
    place: tuple[int, int], shape: Sequence[int], width: int = _FRAME
) -> tuple[int, int, int, int]:
    """The rectangle of a frame around (h, w) pixels at (x, y), as Pillow takes it."""
    left, top = place
    return left - width, top - width, left + shape[1] + width - 1, top + shape[0] + width - 1


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of words that fit into a width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _font().getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """Text in one line, cut where it would run into the next panel."""
    font = _font()
    text = " ".join(text.split())
    if font.getlength(text) > width:
        while text and font.getlength(text + "...") > width:
            text = text[:-1]
        text += "..."
    pen.text(place, text, fill=_INK, font=font)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=13)
