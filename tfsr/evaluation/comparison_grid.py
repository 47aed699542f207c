"""A comparison strip: for each column LR, every output and HR, side by side."""

from __future__ import annotations

import numpy as np

from tfsr.evaluation.figure import Row, Sheet
from tfsr.evaluation.measurement import Sample, Table
from tfsr.images import resize, to_uint8

_SIDE = 256  # Of a panel, in pixels: the middle of larger images is shown.
_EMPTY = (224, 224, 224)


class Strip:
    """Collects panels while a table is measured, and draws them when it is done.

    `measure(..., look=strip.look)` shows it the first image of each column.
    """

    def __init__(self) -> None:
        self._image = ""
        self._rows: list[tuple[str, tuple[float | None, ...], list[np.ndarray]]] = []

    def look(self, sample: Sample) -> None:
        """Cut the panels of a row out of an image: LR, the outputs, HR."""
        # Pixels of an LR image are shown as they are, large.
        lr = resize(sample.lr, (sample.hr.shape[0], sample.hr.shape[1]), "nearest")
        panels = [_panel(image, sample.hr.shape) for image in (lr, *sample.outputs, sample.hr)]
        self._rows.append((sample.cell.label, sample.values, panels))
        self._image = sample.name

    def draw(self, table: Table) -> np.ndarray:
        """Draw the rows, with the figure of each output under it and the protocol above all.

        Args:
            table: what was measured meanwhile.

        Returns:
            (H, W, 3) uint8.
        """
        measure = table.protocol.measures[0]
        title = f"{self._image}. {measure.label}; {table.protocol.how}; of the whole image"
        names = ["LR", *(system.name for system in table.systems), "HR"]
        digits = 2 if measure.kind == "psnr" else 4
        rows = []
        for label, values, panels in self._rows:
            figures = ["" if x is None else f"{x:.{digits}f}" for x in values]
            rows.append(Row(panels, [label, *figures, ""]))
        return Sheet(title, names, _SIDE).draw(rows)


def _panel(image: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The middle of an image in 8 bits; grey where there is no output."""
    height, width = (min(side, _SIDE) for side in shape[:2])
    if image is None:
        return np.full((height, width, 3), _EMPTY, np.uint8)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    inner = image[top : top + height, left : left + width]
    return inner.copy() if inner.dtype == np.uint8 else to_uint8(inner)
