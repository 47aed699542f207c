"""The first image of each column of a table: LR, every output and HR."""

from __future__ import annotations

import numpy as np

from tfsr.evaluation.figure import Figure, FigureRow
from tfsr.evaluation.table import EvaluatedSample, Table
from tfsr.evaluation.table_formats import format_number
from tfsr.images import resize, to_uint8

_SIDE = 256  # Of larger images, the centre of this many pixels a side is shown.
_EMPTY = (224, 224, 224)


class ComparisonGrid:
    """Collects images while a table is evaluated: `add` is the `on_sample` of its evaluation."""

    def __init__(self) -> None:
        self._name = ""
        self._rows: list[tuple[str, tuple[float | None, ...], list[np.ndarray]]] = []

    def add(self, sample: EvaluatedSample) -> None:
        """Add a row: LR (its pixels enlarged), the outputs and HR."""
        lr = resize(sample.lr, (sample.hr.shape[0], sample.hr.shape[1]), "nearest")
        panels = [_panel(image, sample.hr.shape) for image in (lr, *sample.outputs, sample.hr)]
        self._rows.append((sample.column.label, sample.values, panels))
        self._name = sample.name

    def render(self, table: Table) -> np.ndarray:
        """Return the figure, (H, W, 3) uint8, with the first metric of each output.

        Args:
            table: from the evaluation that called `add`.
        """
        metric = table.protocol.metrics[0]
        rows = []
        for label, values, panels in self._rows:
            numbers = [format_number(value, 2 if metric.kind == "psnr" else 4) for value in values]
            rows.append(FigureRow(panels, [label, *numbers, ""]))
        title = f"{self._name}. {metric.label}; {table.protocol.how}; of the whole image"
        return Figure(title, ["LR", *table.upscalers, "HR"], _SIDE).render(rows)


def _panel(image: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    height, width = (min(side, _SIDE) for side in shape[:2])
    if image is None:
        return np.full((height, width, 3), _EMPTY, np.uint8)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    # A copy: the whole image is released.
    inner = image[top : top + height, left : left + width].copy()
    return inner if inner.dtype == np.uint8 else to_uint8(inner)
