"""The rows of a grid of whole scale that look at consecutive LR pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfsr.geometry.axis import Axis


@dataclass(frozen=True)
class Phase:
    """Every s-th row (or column) of a grid, s being the whole scale of its axis.

    Their LR neighbours are consecutive pixels: a run, one for each neighbour, of as many pixels as
    there are rows. A run may begin one pixel before the LR image, or end one after it; what lies
    outside stands for the pixel at the edge. Neighbours of no weight are left out.

    Attributes:
        axis: the rows' geometry; k is 1 where a neighbour was left out.
        starts: (k,) int32. The LR pixel at which each neighbour's run begins, -1 at the lowest.
        pair_starts: (2,) int32. Where those of linear interpolation begin.
    """

    axis: Axis
    starts: Any
    pair_starts: Any

    def __getitem__(self, span: slice) -> Phase:
        """Some consecutive rows of the phase."""
        first = span.start
        return Phase(self.axis[span], self.starts + first, self.pair_starts + first)

    def shift(self, start: int) -> Phase:
        """The same phase over features that begin at LR pixel `start`; the input is not cut."""
        return replace(self, starts=self.starts - start)

    def arrays(self) -> tuple[Any, ...]:
        """What `Phase.of` makes the phase of again."""
        return (*self.axis.arrays(), self.starts, self.pair_starts)

    @classmethod
    def of(cls, arrays: Sequence[Any]) -> Phase:
        """The phase of what `arrays` returned."""
        return cls(Axis(*arrays[:-2]), *arrays[-2:])


def phases_of(axis: Axis, lr: int, scale: int) -> list[Phase] | None:
    """Rows i, i + scale, i + 2 scale and so on for each i below the scale and the axis's length."""
    output = []
    for i in range(min(scale, len(axis))):
        part = axis[i::scale]
        # A query on a pixel's centre has its whole weight there, but for float32 rounding. After
        # the last centre both neighbours are one pixel.
        if part.weights.shape[-1] == 2 and np.all(
            (part.weights[:, 1] < 1e-4) | (part.indices[:, 0] == part.indices[:, 1])
        ):
            part = replace(
                part,
                indices=part.indices[:, :1],
                offsets=part.offsets[:, :1],
                weights=np.ones_like(part.weights[:, :1]),
                neighbours=part.neighbours[:, :1],
            )
        starts = [_run(part.indices[:, j], lr) for j in range(part.indices.shape[-1])]
        pair_starts = [_run(part.pair_indices[:, j], lr) for j in (0, 1)]
        if None in starts or None in pair_starts:
            return None
        output.append(Phase(part, np.array(starts, np.int32), np.array(pair_starts, np.int32)))
    return output


def _run(indices: np.ndarray, lr: int) -> int | None:
    """Where consecutive indices, clamped to `lr` pixels, begin; None if they do not follow."""
    for start in (int(indices[0]), int(indices[0]) - 1):
        run = start + np.arange(len(indices))
        if run[-1] <= lr and np.array_equal(np.clip(run, 0, lr - 1), indices):
            return start
    return None
