"""The sampling geometry of one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from keras import ops


@dataclass(frozen=True)
class Axis:
    """One axis of a set of queries.

    On a grid of n rows (or columns) every array begins with n. For scattered points the arrays
    begin with (batch, points) instead and are backend tensors.

    Attributes:
        indices: (n, k) int32. The LR neighbours; k is 2 for the ensemble, otherwise 1.
        offsets: (n, k) float32. Query minus neighbour's centre, in half LR pixels. At a border it
            is measured from the clamped neighbour.
        weights: (n, k) float32, sum 1. Share of each neighbour in the local ensemble.
        neighbours: (n, k) float32. The neighbours' coordinates, in [-1, 1].
        coordinates: (n,) float32. The queries' coordinates, in [-1, 1].
        cells: (n,) float32. Output pixel size x LR size: 2 / scale.
        pair_indices: (n, 2) int32. The two pixels of linear interpolation, in every mode.
        pair_weights: (n, 2) float32, sum 1. Their weights.
    """

    indices: Any
    offsets: Any
    weights: Any
    neighbours: Any
    coordinates: Any
    cells: Any
    pair_indices: Any
    pair_weights: Any

    def __len__(self) -> int:
        return len(self.coordinates)

    def arrays(self) -> tuple[Any, ...]:
        """The arrays in the order of the attributes: `Axis(*axis.arrays())` is an equal axis."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def map(self, function: Callable[[Any], Any]) -> Axis:
        """The axis with `function` applied to each of its arrays."""
        return Axis(*map(function, self.arrays()))

    def __getitem__(self, span: slice) -> Axis:
        """Some of its rows (or columns)."""
        return self.map(lambda values: values[span])

    def span(self) -> tuple[int, int]:
        """First LR pixel that a grid's axis needs, and the one after the last."""
        first = min(self.indices.min(), self.pair_indices.min())
        last = max(self.indices.max(), self.pair_indices.max())
        return int(first), int(last) + 1

    def shift(self, start: int) -> Axis:
        """The axis over a crop of the LR image that begins at its pixel `start`.

        Only the indices change: coordinates stay those of the whole image.
        """
        return replace(self, indices=self.indices - start, pair_indices=self.pair_indices - start)

    def neighbour(self, i: int) -> Neighbour:
        """The i-th neighbour of every query, each value with a last axis of 1 to broadcast."""
        return Neighbour(
            index=self.indices[..., i],
            weight=self.weights[..., i : i + 1],
            offset=self.offsets[..., i : i + 1],
            coordinate=self.neighbours[..., i : i + 1],
            cell=last_axis(self.cells),
        )

    def all_neighbours(self) -> list[Neighbour]:
        """Every neighbour, in order."""
        return [self.neighbour(i) for i in range(self.indices.shape[-1])]


@dataclass(frozen=True)
class Neighbour:
    """One LR neighbour of each query, on one axis; see `Axis` for the units.

    Attributes:
        index: (...) int32, which LR pixel.
        weight: (..., 1) its share in the ensemble.
        offset: (..., 1) query minus its centre, one LR pixel being 2.
        coordinate: (..., 1) its centre, in [-1, 1].
        cell: (..., 1) the output pixel's size, one LR pixel being 2.

    Example:
        >>> neighbour = tfsr.geometry.grid_axis(2, 4, 0, 4).neighbour(1)
        >>> neighbour.index.tolist(), neighbour.offset[3].tolist()
        ([0, 1, 1, 1], [0.5])
    """

    index: Any
    weight: Any
    offset: Any
    coordinate: Any
    cell: Any


def concat_axes(axes: Sequence[Axis]) -> Axis:
    """Concatenate axes of NumPy arrays or of tensors."""
    if len(axes) == 1:
        return axes[0]
    concat = np.concatenate if isinstance(axes[0].indices, np.ndarray) else ops.concatenate
    arrays = zip(*(axis.arrays() for axis in axes), strict=True)
    return Axis(*(concat(list(parts)) for parts in arrays))


def last_axis(x: Any) -> Any:
    """An array or a tensor (...) as (..., 1).

    TFLite has no operator for `x[..., None]` of a tensor whose shape varies.

    Example:
        >>> tfsr.geometry.last_axis(np.zeros((2, 3))).shape
        (2, 3, 1)
    """
    return (np if isinstance(x, np.ndarray | np.generic) else ops).expand_dims(x, -1)
