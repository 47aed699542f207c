"""A comparison strip: for each column LR, every answer and HR, side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfsr.evaluation.measurement import Sample, Table
from tfsr.images import resize, to_uint8

_SIDE = 256  # Of a panel, in pixels: the middle of larger pictures is shown.
_GAP = 8
_LINE = 18
_INK, _PAPER, _EMPTY = (32, 32, 32), (255, 255, 255), (224, 224, 224)


@dataclass(frozen=True)
class _Row:
    label: str
    values: tuple[float | None, ...]
    panels: list[np.ndarray]

    @property
    def height(self) -> int:
        return self.panels[0].shape[0]


class Strip:
    """Collects panels while a table is measured, and draws them when it is done.

    `measure(..., look=strip.look)` shows it the first picture of each column.
    """

    def __init__(self) -> None:
        self._picture = ""
        self._rows: list[_Row] = []

    def look(self, sample: Sample) -> None:
        """Cut the panels of a row out of a picture: LR, the answers, HR."""
        # Pixels of an LR picture are shown as they are, large.
        lr = resize(sample.lr, (sample.hr.shape[0], sample.hr.shape[1]), "nearest")
        panels = [_panel(picture, sample.hr.shape) for picture in (lr, *sample.answers, sample.hr)]
        self._rows.append(_Row(sample.cell.label, sample.values, panels))
        self._picture = sample.name

    def draw(self, table: Table) -> np.ndarray:
        """Draw the rows, with the figure of each answer under it and the protocol above all.

        Args:
            table: what was measured meanwhile.

        Returns:
            (H, W, 3) uint8.
        """
        names = ["LR", *(system.name for system in table.systems), "HR"]
        width = _GAP + len(names) * (_SIDE + _GAP)
        measure = table.protocol.measures[0]
        title = f"{self._picture}. {measure.label}; {table.protocol.how}; of the whole picture"
        heading = _wrapped(title, width - 2 * _GAP)
        top = _GAP + _LINE * (len(heading) + 1)
        height = top + sum(row.height + _LINE + _GAP for row in self._rows)
        canvas = Image.new("RGB", (width, height), _PAPER)
        pen = ImageDraw.Draw(canvas)
        for i, line in enumerate(heading):
            _write(pen, (_GAP, _GAP + _LINE * i), line, width - 2 * _GAP)
        for i, name in enumerate(names):
            _write(pen, (_GAP + i * (_SIDE + _GAP), top - _LINE), name, _SIDE)
        digits = 2 if measure.kind == "psnr" else 4
        for row in self._rows:
            figures = ["" if x is None else f"{x:.{digits}f}" for x in row.values]
            texts = [row.label, *figures, ""]
            for i, (panel, text) in enumerate(zip(row.panels, texts, strict=True)):
                left = _GAP + i * (_SIDE + _GAP)
                canvas.paste(Image.fromarray(panel), (left, top))
                _write(pen, (left, top + row.height + 2), text, _SIDE)
            top += row.height + _LINE + _GAP
        return np.array(canvas)


def _panel(picture: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The middle of a picture in 8 bits; grey where there is no answer."""
    height, width = (min(side, _SIDE) for side in shape[:2])
    if picture is None:
        return np.full((height, width, 3), _EMPTY, np.uint8)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    inner = picture[top : top + height, left : left + width]
    return inner.copy() if inner.dtype == np.uint8 else to_uint8(inner)


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
    if font.getlength(text) > width:
        while text and font.getlength(text + "...") > width:
            text = text[:-1]
        text += "..."
    pen.text(place, text, fill=_INK, font=font)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=13)
