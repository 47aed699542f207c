"""Which LR pixels surround a query, and their weights: the published float32 formulas.

They serve grids and scattered points alike. `xp` is NumPy or `keras.ops`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from keras import ops

NeighbourMode = Literal["ensemble", "nearest", "nearest-exact", "nearest-centred", "corner"]
"""How LR neighbours are found, on each axis.

- "ensemble": the two around the query.
- "nearest": the nearest one, as PyTorch's grid_sample finds it.
- "nearest-exact": the one that contains the query, as PyTorch's resize of that name finds it.
- "nearest-centred": the nearest one, and the offset to it, in coordinates of [-1/2, 1/2] (Thera).
- "corner": the one that contains the output pixel's top left corner; offsets are measured from its
  own top left corner to that one (Meta-SR).

All but the first decide ties as the published float32 formulas do.
"""

# The published lookup keeps coordinates this far inside the image before it rounds them to a pixel.
_INSIDE = 1e-6


def linear_weights(xp, pair, offsets):
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


def nearest_index(xp, coordinates, size):
    """Index of the nearest pixel as grid_sample finds it (float32, half to even), as floats."""
    inside = xp.clip(coordinates, -1 + _INSIDE, 1 - _INSIDE)
    scaled = ((inside + 1.0) * size - 1.0) / 2.0
    return (xp.rint if xp is np else xp.round)(scaled)


def nearest_exact_index(xp, position, ratio, size):
    """floor((k + 1/2) x LR size / HR size) in float32, as floats; at most the last pixel."""
    return xp.minimum(xp.floor(position * ratio), size - 1)


def corner(coordinates, cells):
    """What Meta-SR looks up: the output pixel's top left corner, seen from the LR corners.

    An LR pixel's corner lies half a pixel before its centre, so the nearest centre to the corner
    itself is that of the pixel it lies in; the published nudge keeps corners on a boundary in the
    pixel that begins there.
    """
    return coordinates - cells / 2 + _INSIDE


def centred_coordinate(position, count):
    """Where a position in pixels lies on an axis of `count` pixels, in [-1/2, 1/2], float32.

    The published grid is rounded from doubles: so is this quotient of two exact numbers.
    """
    return (2.0 * position - count) / (2.0 * count)


def centred_index(xp, coordinates, size):
    """Index of the nearest pixel of coordinates in [-1/2, 1/2] (float32, half up), as floats."""
    position = coordinates * size + (size - 1.0) / 2.0
    below = xp.floor(position)
    return xp.clip(xp.where(position - below >= 0.5, below + 1.0, below), 0.0, size - 1.0)


def output_pixel(coordinates, cells, size):
    """(k + 1/2, HR size) of points, as the grid of their cell has them.

    A point that is no pixel's centre has no k; there, its position in output pixels stands for
    k + 1/2, and the published formula says the same away from ties.
    """
    position = (coordinates + 1.0) / cells
    centre = ops.floor(position) + 0.5
    # Centres come within rounding of themselves; 1e-3 of a pixel is far outside that.
    centre = ops.where(ops.abs(position - centre) < 1e-3, centre, position)
    # The HR size, where the cell is that of a whole number of pixels: in a window it need not be.
    count = 2.0 / cells
    whole = ops.round(count)
    count = ops.where(ops.abs(count - whole) < 1e-5 * whole, whole, count)
    return centre, count
