"""Systems times columns: the loop that measures, and the table it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfsr.evaluation.dataset import Cell
from tfsr.evaluation.protocols import Protocol
from tfsr.evaluation.systems import System
from tfsr.images import to_uint8


@dataclass(frozen=True)
class Score:
    """What one system reached in one column.

    Attributes:
        values: for each measure, one figure an image; empty where the system has no output.
        note: why it has none.
    """

    values: tuple[tuple[float, ...], ...]
    note: str | None = None

    def mean(self, measure: int) -> float | None:
        """The mean over the images, as data sets' figures are; None where there is none."""
        return float(np.mean(self.values[measure])) if self.values else None


@dataclass(frozen=True)
class Table:
    """All figures of a run, with what they are figures of.

    Attributes:
        protocol: how they were measured.
        data: the folder, as it was named.
        cells: the columns.
        systems: the rows; the first is the baseline.
        scores: [row][column].
    """

    protocol: Protocol
    data: str
    cells: tuple[Cell, ...]
    systems: tuple[System, ...]
    scores: tuple[tuple[Score, ...], ...]

    @property
    def images(self) -> list[str]:
        """The images' names, in the order of the values."""
        return [pair.original.stem for pair in self.cells[0].pairs]

    def gain(self, row: int, column: int, measure: int) -> float | None:
        """By how much a mean is above the baseline's; None where either is none, or infinite."""
        ours = self.scores[row][column].mean(measure)
        baseline = self.scores[0][column].mean(measure)
        if row == 0 or ours is None or baseline is None:
            return None
        return ours - baseline if math.isfinite(ours - baseline) else None


@dataclass(frozen=True)
class Sample:
    """One image of one column, and every output to it, for who wants to look."""

    cell: Cell
    name: str
    lr: np.ndarray
    hr: np.ndarray
    outputs: tuple[np.ndarray | None, ...]
    values: tuple[float | None, ...]


def measure(
    protocol: Protocol,
    data: str,
    cells: Sequence[Cell],
    systems: Sequence[System],
    *,
    advance: Callable[[], None] = lambda: None,
    look: Callable[[Sample], None] = lambda sample: None,
) -> Table:
    """Measure every system in every column.

    A system that has no output to one of a column's images has no figure there: a mean over
    fewer images than the others' would be another figure.

    Args:
        protocol: how.
        data: what the table calls the images.
        cells: the columns, from `dataset.cells`.
        systems: the rows, the baseline first.
        advance: called after each image of each column.
        look: called with the first image of each column.

    Raises:
        ImageError: if an image cannot be read any more.
        InvalidArgument: if a system refuses an image.
    """
    columns = []
    for cell in cells:
        notes = [_misfit(system, cell) for system in systems]
        values: list[list[list[float]]] = [[[] for _ in protocol.measures] for _ in systems]
        for i, pair in enumerate(cell.pairs):
            lr, hr = cell.load(pair)
            outputs: list[np.ndarray | None] = []
            for row, system in enumerate(systems):
                if notes[row] is not None:
                    outputs.append(None)
                    continue
                output = _finished(system.upscale(lr, pair.size), protocol)
                for found, figure in zip(values[row], protocol.measures, strict=True):
                    found.append(figure(output, hr, cell.border_scale))
                outputs.append(output)
            if i == 0:
                first = tuple(found[0][0] if found[0] else None for found in values)
                look(Sample(cell, pair.original.stem, lr, hr, tuple(outputs), first))
            advance()
        columns.append(
            [
                Score(tuple(map(tuple, found)) if note is None else (), note)
                for found, note in zip(values, notes, strict=True)
            ]
        )
    scores = tuple(zip(*columns, strict=True))
    return Table(protocol, data, tuple(cells), tuple(systems), scores)


def _misfit(system: System, cell: Cell) -> str | None:
    for pair in cell.pairs:
        if reason := system.upscaler.unsupported_reason(pair.lr_size, pair.size):
            return reason
    return None


def _finished(output: np.ndarray, protocol: Protocol) -> np.ndarray:
    """What a protocol compares. What it truncates, its measure truncates."""
    if protocol.outputs == "rounded" and output.dtype != np.uint8:
        return to_uint8(output)
    return output
