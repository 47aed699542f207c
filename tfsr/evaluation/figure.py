"""Images side by side, in rows, with captions."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 8
_LINE_HEIGHT, _LINE_CHARACTER = 18, 7  # Pixels: of a line, and of a character on average.
_INK, _PAPER = (32, 32, 32), (255, 255, 255)
_OUTLINE = 2


@dataclass(frozen=True)
class FigureRow:
    """(h, w, 3) uint8 images of one size, the captions under them, and the outlines' colour."""

    panels: Sequence[np.ndarray]
    captions: Sequence[str]
    outline: tuple[int, int, int] | None = None


class Figure:
    """Layout of a figure.

    Args:
        title: wrapped to the figure's width.
        names: of the columns.
        column: width of a column, in pixels. Panels may be narrower.
    """

    def __init__(self, title: str, names: Sequence[str], column: int) -> None:
        self.names, self.column = names, column
        self.width = GAP + len(names) * (column + GAP)
        self._title = textwrap.wrap(title, (self.width - 2 * GAP) // _LINE_CHARACTER)
        self._top = GAP + _LINE_HEIGHT * (len(self._title) + 1)

    def size(self, heights: Sequence[int]) -> tuple[int, int]:
        """Return (H, W) of the figure, given the heights of the rows' panels."""
        return self._top + sum(height + _LINE_HEIGHT + GAP for height in heights), self.width

    def render(self, rows: Sequence[FigureRow]) -> np.ndarray:
        """Return the figure, (H, W, 3) uint8."""
        height, width = self.size([len(row.panels[0]) for row in rows])
        canvas = Image.new("RGB", (width, height), _PAPER)
        pen = ImageDraw.Draw(canvas)
        lefts = range(GAP, width, self.column + GAP)
        for i, line in enumerate(self._title):
            _write(pen, (GAP, GAP + _LINE_HEIGHT * i), line, width - 2 * GAP)
        for left, name in zip(lefts, self.names, strict=True):
            _write(pen, (left, self._top - _LINE_HEIGHT), name, self.column)
        top = self._top
        for row in rows:
            for left, panel, text in zip(lefts, row.panels, row.captions, strict=True):
                if row.outline is not None:
                    pen.rectangle(outline_box((left, top), panel.shape, _OUTLINE), row.outline)
                canvas.paste(Image.fromarray(panel), (left, top))
                _write(pen, (left, top + len(panel) + _OUTLINE), text, self.column)
            top += len(row.panels[0]) + _LINE_HEIGHT + GAP
        return np.array(canvas)


def outline_box(
    place: tuple[int, int], shape: Sequence[int], width: int
) -> tuple[int, int, int, int]:
    """Pillow's box of an outline around (h, w) pixels at (x, y)."""
    left, top = place
    return left - width, top - width, left + shape[1] + width - 1, top + shape[0] + width - 1


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """Write one line, shortened to a width in pixels."""
    font = ImageFont.load_default(size=13)
    text = " ".join(text.split())
    if font.getlength(text) > width:
        while text and font.getlength(text + "...") > width:
            text = text[:-1]
        text += "..."
    pen.text(place, text, fill=_INK, font=font)
