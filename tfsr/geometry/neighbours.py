"""Which LR pixels surround a query, and their weights: the published float32 formulas.

They serve grids and scattered points alike. `xp` is NumPy or `keras.ops`; the numbers are float32.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from keras import ops

from tfsr.geometry.axis import Axis, last_axis
from tfsr.geometry.coordinates import centres, first_centre

NeighbourMode = Literal["ensemble", "nearest", "nearest-exact", "nearest-centred", "corner"]
"""How LR neighbours are found, on each axis.

- "ensemble": the two around the query.
- "nearest": the nearest one, as PyTorch's grid_sample finds it.
- "nearest-exact": the one that contains the query, as PyTorch's resize of that name finds it.
- "nearest-centred": the nearest one, and the offset to it, in coordinates of [-1/2, 1/2] (Thera).
- "corner": the one that contains the output pixel's top left corner; offsets are measured from its
  own top left corner to that one (Meta-SR).

All but the first resolve ties as the published float32 formulas do.
"""

# The published code clamps coordinates this far inside the image before it rounds them to a pixel.
_INSIDE = 1e-6


def axis_at(xp, mode: NeighbourMode, coordinates, before, lr, cell, position, count, cells) -> Axis:
    """The geometry of queries on one axis.

    Args:
        xp: NumPy or `keras.ops`.
        mode: how neighbours are found.
        coordinates: (...) the queries', in [-1, 1].
        before: (...) index of the LR pixel whose centre precedes the query, unclamped.
        lr: LR size.
        cell: output pixel size, 2 / HR size.
        position: (...) the queries in output pixels, k + 1/2 at centres.
        count: HR size.
        cells: (...) output pixel size x LR size.
    """
    cast = np.astype if xp is np else ops.cast
    # Offsets are float32 differences, as published: exact ones differ by its rounding, which the
    # weights between very different neighbours, and the sines of DIINN and LTE, would show.
    pair = xp.clip(xp.stack([before, before + 1.0], axis=-1), 0.0, lr - 1.0)
    pair_offsets = (last_axis(coordinates) - centres(pair, lr)) * lr
    pair_weights = _linear_weights(xp, pair, pair_offsets)
    if mode == "ensemble":
        indices, offsets, weights = pair, pair_offsets, pair_weights
    else:
        indices, offsets = _nearest(xp, mode, coordinates, lr, cell, position, count)
        weights = xp.ones_like(indices)
    return Axis(
        indices=cast(indices, "int32"),
        offsets=offsets,
        weights=weights,
        neighbours=centres(indices, lr),
        coordinates=coordinates,
        cells=cells,
        pair_indices=cast(pair, "int32"),
        pair_weights=pair_weights,
    )


def _linear_weights(xp, pair, offsets):
    """Weights (..., 2) of the pixels before and after: the distance to the other one.

    The published ensemble weighs by the area of the rectangle between the query and the opposite
    neighbour (LIIF, eq. 4). Per axis that area is the distance to the other neighbour over the
    distance between the two, and the product of the two axes is the published rule, without its
    0/0 where a query meets a centre. Where clamping made the two one pixel: 1/2 and 1/2.
    """
    distances = xp.abs(offsets)
    one_pixel = pair[..., 0] == pair[..., 1]
    between = xp.where(one_pixel, xp.ones_like(distances[..., 0]), xp.sum(distances, axis=-1))
    after = xp.where(one_pixel, xp.full_like(between, 0.5), distances[..., 0] / between)
    return xp.stack([1.0 - after, after], axis=-1)


def _nearest(xp, mode: NeighbourMode, coordinates, lr, cell, position, count):
    """Index of one neighbour, in float32, and the offset from it, (..., 1) each."""
    if mode == "nearest-centred":
        query = _centred(position, count)
        scaled = query * lr + (lr - 1.0) / 2.0
        below = xp.floor(scaled)
        half_up = xp.where(scaled - below >= 0.5, below + 1.0, below)
        index = last_axis(xp.clip(half_up, 0.0, lr - 1.0))
        return index, (last_axis(query) - _centred(index + 0.5, lr)) * lr * 2.0
    query, first = coordinates, first_centre(lr)
    if mode == "nearest-exact":
        index = xp.minimum(xp.floor(position * (lr / count)), lr - 1)
    else:
        looked_up = coordinates
        if mode == "corner":
            # An LR pixel's corner lies half a pixel before its centre, so the centre nearest to
            # the query's corner is that of the pixel it lies in; the published nudge assigns
            # corners on a boundary to the pixel that begins there.
            query, first = coordinates - cell / 2.0, -1.0
            looked_up = query + _INSIDE
        inside = xp.clip(looked_up, -1 + _INSIDE, 1 - _INSIDE)
        index = xp.round(((inside + 1.0) * lr - 1.0) / 2.0)
    index = last_axis(index)
    return index, (last_axis(query) - (first + (2.0 / lr) * index)) * lr


def _centred(position, count):
    """A position in pixels on an axis of `count` pixels, in [-1/2, 1/2].

    The published grid is rounded from doubles: so is this quotient of two exact numbers.
    """
    return (2.0 * position - count) / (2.0 * count)
