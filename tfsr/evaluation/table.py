"""Evaluate upscalers column by column."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsr.evaluation.dataset import Column, Pair, make_columns
from tfsr.evaluation.protocols import EvaluationProtocol, get_protocol
from tfsr.inference import Upscaler, load_upscaler
from tfsr.inference.defaults import BICUBIC


@dataclass(frozen=True)
class Score:
    """Values of one upscaler in one column: for each metric, one an image.

    They are empty, and `note` says why, if the upscaler does not support all images.
    """

    values: tuple[tuple[float, ...], ...]
    note: str | None = None

    def mean(self, metric: int) -> float | None:
        """Return the mean over the images; None if there is none."""
        return float(np.mean(self.values[metric])) if self.values else None


@dataclass(frozen=True)
class Table:
    """Results of an evaluation: `scores[row][column]`. The first row is the baseline."""

    protocol: EvaluationProtocol
    data: str
    columns: tuple[Column, ...]
    upscalers: Mapping[str, Upscaler]
    scores: tuple[tuple[Score, ...], ...]

    @property
    def images(self) -> list[str]:
        """The images' names, in the order of the values."""
        return [pair.original.stem for pair in self.columns[0].pairs]

    def gain(self, row: int, column: int, metric: int) -> float | None:
        """Return a mean minus the baseline's; None if one is missing or infinite."""
        value = self.scores[row][column].mean(metric)
        baseline = self.scores[0][column].mean(metric)
        if row == 0 or value is None or baseline is None:
            return None
        return value - baseline if math.isfinite(value - baseline) else None


@dataclass(frozen=True)
class EvaluatedSample:
    """The images of a pair: LR, HR and all outputs, with their values of the first metric."""

    column: Column
    name: str
    lr: np.ndarray
    hr: np.ndarray
    outputs: tuple[np.ndarray | None, ...]
    values: tuple[float | None, ...]


def evaluate(
    data: str | os.PathLike[str],
    upscalers: Sequence[str],
    protocol: str = "files",
    *,
    lr_sides: Sequence[str] = (),
    scales: Sequence[float] = (),
    degradation: str | None = None,
    strengths: Sequence[float] = (),
) -> Table:
    """Evaluate upscalers on a folder of images, against bicubic.

    Args:
        data: a folder of original images, or a data set with HR and LR_bicubic.
        upscalers: what `tfsr.load_upscaler` takes.
        protocol: a key of `PROTOCOLS`.
        lr_sides: LR sides, or "LR-HR" pairs of sides. Defaults to the protocol's.
        scales: HR over LR. Defaults to the protocol's.
        degradation: of the LR images, for protocol "files" or one of those of "real".
        strengths: as of `load_upscalers`.

    Raises:
        ImageError: if an image cannot be read, or is too small.
        PresetError, ExportError: if an upscaler cannot be loaded.
        InvalidArgument: if an argument is impossible.

    Example:
        >>> table = tfsr.evaluation.evaluate("faces", ["bicubic"], lr_sides=["32"])
        >>> table.scores[0][0].mean(0) > 30
        True
    """
    rule = get_protocol(protocol)
    columns = make_columns(data, rule, rule.specs(lr_sides, scales, degradation))
    return evaluate_columns(rule, os.fspath(data), columns, load_upscalers(upscalers, strengths))


def load_upscalers(specs: Sequence[str], strengths: Sequence[float] = ()) -> dict[str, Upscaler]:
    """Load the rows of a table: bicubic, then each upscaler once.

    Args:
        specs: what `tfsr.load_upscaler` takes.
        strengths: in [0, 1], for presets with a clean twin: a row for each. Defaults to each
            preset as it is.

    Returns:
        Upscalers by name: the last part of a path, where that is unique.

    Raises:
        PresetError, ExportError, InvalidArgument: as `tfsr.load_upscaler`.

    Example:
        >>> list(tfsr.evaluation.load_upscalers(["bicubic"]))
        ['Bicubic']
    """
    specs = [spec for spec in dict.fromkeys(specs) if spec.casefold() != BICUBIC]
    short = [Path(spec).name for spec in specs]
    upscalers = {"Bicubic": load_upscaler(BICUBIC)}
    for spec, name in zip(specs, short, strict=True):
        row = name if name and short.count(name) == 1 else spec
        for strength in strengths or (None,):
            label = row if strength is None else f"{row}, strength {strength:g}"
            upscalers[label] = load_upscaler(spec, strength=strength)
    return upscalers


def evaluate_columns(
    protocol: EvaluationProtocol,
    data: str,
    columns: Sequence[Column],
    upscalers: Mapping[str, Upscaler],
    *,
    on_image: Callable[[], None] = lambda: None,
    on_sample: Callable[[EvaluatedSample], None] = lambda sample: None,
) -> Table:
    """Evaluate upscalers in columns from `make_columns`.

    An upscaler that does not support all images of a column has no result there: a mean over fewer
    images could not be compared.

    Args:
        protocol: the protocol.
        data: the folder's name in the table.
        columns: the columns.
        upscalers: the rows by name, the baseline first.
        on_image: called after each image of each column.
        on_sample: called with the first image of each column.
    """
    scores = []
    for column in columns:
        notes = [_unsupported_reason(upscaler, column) for upscaler in upscalers.values()]
        values: list[list[list[float]]] = [[[] for _ in protocol.metrics] for _ in upscalers]
        for i, pair in enumerate(column.pairs):
            lr, hr = column.load(pair)
            outputs = [
                _output(upscaler, lr, pair, protocol) if note is None else None
                for upscaler, note in zip(upscalers.values(), notes, strict=True)
            ]
            for row, output in zip(values, outputs, strict=True):
                for numbers, metric in zip(row, protocol.metrics, strict=True):
                    if output is not None:
                        numbers.append(metric(output, hr, column.border_scale))
            if i == 0:
                first = tuple(row[0][0] if row[0] else None for row in values)
                on_sample(
                    EvaluatedSample(column, pair.original.stem, lr, hr, tuple(outputs), first)
                )
            on_image()
        scores.append(
            [
                Score(tuple(map(tuple, row)) if note is None else (), note)
                for row, note in zip(values, notes, strict=True)
            ]
        )
    return Table(protocol, data, tuple(columns), upscalers, tuple(zip(*scores, strict=True)))


def _unsupported_reason(upscaler: Upscaler, column: Column) -> str | None:
    reasons = (upscaler.unsupported_reason(pair.lr_size, pair.size) for pair in column.pairs)
    return next(filter(None, reasons), None)


def _output(
    upscaler: Upscaler, lr: np.ndarray, pair: Pair, protocol: EvaluationProtocol
) -> np.ndarray:
    """The output that the protocol compares. Where it truncates, the metric truncates."""
    if protocol.outputs == "rounded" or upscaler.rounds:
        return upscaler(lr, pair.size)
    return upscaler.raw_output(lr, pair.size)
