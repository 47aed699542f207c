"""Coordinates, and nothing else computes one.

Axes are independent: whatever a decoder wants to know about an output pixel (its neighbours among
the low-resolution (LR) pixels, the offsets to them, their weights) depends on the row for one half
and on the column for the other. Everything here is therefore written for one axis and used twice.

Conventions (LIIF, Chen et al., CVPR 2021, arXiv 2012.09161, and the code published with it):

- Coordinates are (row, column); the image spans [-1, 1], so its centre is 0 and pixel k of n has
  its centre at -1 + (2k + 1) / n.
- A cell is the size of one output pixel in the same unit, 2 / n.
- An offset is (query - neighbour's centre) x LR size: one LR pixel is 2 wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from operator import index
from typing import Any, Literal

import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument

Lookup = Literal["ensemble", "nearest", "nearest-exact", "corner"]
"""How LR neighbours are found, on each axis.

- "ensemble": the two around the query.
- "nearest": the nearest one, as PyTorch's grid_sample finds it.
- "nearest-exact": the one that contains the query, as PyTorch's resize of that name finds it.
- "corner": the one that contains the output pixel's top left corner; offsets are measured from its
  own top left corner to that one (Meta-SR).

All but the first decide ties as the published float32 formulas do.
"""

# The published lookup keeps coordinates this far inside the image before it rounds them to a pixel.
_INSIDE = 1e-6


@dataclass(frozen=True)
class Axis:
    """One axis of a set of queries. On a grid of n rows (or columns) every array begins with n.

    For scattered points the arrays begin with (batch, points) instead and are backend tensors.

    Attributes:
        indices: (n, k) int32. The LR neighbours, k = 2 for the ensemble and 1 for the nearest.
        offsets: (n, k) float32. Query minus neighbour's centre, in units of half an LR pixel,
            measured from the neighbour that was really taken (at a border: the clamped one).
        weights: (n, k) float32, sum 1. Share of each neighbour in the local ensemble.
        neighbours: (n, k) float32. The neighbours' own coordinates, in [-1, 1].
        coordinates: (n,) float32. The queries' coordinates, in [-1, 1].
        cells: (n,) float32. Output pixel size x LR size: 2 / scale.
        pair_indices: (n, 2) int32. The two pixels of linear interpolation, ensemble or not.
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

    def map(self, function: Callable[[Any], Any]) -> Axis:
        """The same axis with `function` applied to each of its arrays."""
        return Axis(**{field.name: function(getattr(self, field.name)) for field in fields(self)})

    def __getitem__(self, span: slice) -> Axis:
        """The same axis for some of its rows (or columns)."""
        return self.map(lambda values: values[span])

    def arrays(self) -> tuple[Any, ...]:
        """The arrays, in the order of the attributes: `Axis(*axis.arrays())` is the same axis."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def span(self) -> tuple[int, int]:
        """The first LR pixel that a grid's axis looks at, and the one after the last."""
        first = min(self.indices.min(), self.pair_indices.min())
        last = max(self.indices.max(), self.pair_indices.max())
        return int(first), int(last) + 1

    def cut(self, start: int) -> Axis:
        """The same axis where the LR picture is a cut that begins at its pixel `start`.

        Only the indices change: the neighbours' and the queries' own coordinates stay those of the
        whole picture.
        """
        return replace(self, indices=self.indices - start, pair_indices=self.pair_indices - start)

    def neighbour(self, i: int) -> Neighbour:
        """The i-th neighbour of every query, each value with a last axis of 1 to broadcast."""
        return Neighbour(
            index=self.indices[..., i],
            weight=self.weights[..., i, None],
            offset=self.offsets[..., i, None],
            coordinate=self.neighbours[..., i, None],
            cell=self.cells[..., None],
        )


@dataclass(frozen=True)
class Neighbour:
    """One LR neighbour of each query, on one axis; see `Axis` for the units.

    Attributes:
        index: (...) int32, which LR pixel.
        weight: (..., 1) its share in the ensemble.
        offset: (..., 1) query minus its centre, one LR pixel being 2.
        coordinate: (..., 1) its own centre, in [-1, 1].
        cell: (..., 1) the output pixel's size, one LR pixel being 2.
    """

    index: Any
    weight: Any
    offset: Any
    coordinate: Any
    cell: Any


@dataclass(frozen=True)
class Phase:
    """Every s-th row (or column) of a grid, s being the whole scale of its axis.

    Their LR neighbours are consecutive pixels: a run, one for each neighbour, of as many pixels as
    there are rows. A run may begin one pixel before the LR picture, or end one after it; what lies
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

    def over_cut(self, start: int) -> Phase:
        """The same phase over features that begin at LR pixel `start`; the input is not cut."""
        return replace(self, starts=self.starts - start)

    def arrays(self) -> tuple[Any, ...]:
        """What `Phase.of` makes the phase of again."""
        return (*self.axis.arrays(), self.starts, self.pair_starts)

    @classmethod
    def of(cls, arrays: Sequence[Any]) -> Phase:
        """The phase of what `arrays` answered."""
        return cls(Axis(*arrays[:-2]), *arrays[-2:])


@dataclass(frozen=True)
class SamplingPlan:
    """Where each pixel of an output grid, or each of a set of points, looks in the LR image."""

    rows: Axis
    columns: Axis
    lr_size: tuple[Any, Any]

    def whole_scales(self) -> tuple[int, int] | None:
        """Output pixels to an LR pixel on both axes of a grid, if these are whole numbers."""
        scales = [2.0 / float(axis.cells[0]) for axis in (self.rows, self.columns)]
        rows, columns = (max(1, round(scale)) for scale in scales)
        whole = abs(scales[0] - rows) < 5e-7 * rows and abs(scales[1] - columns) < 5e-7 * columns
        return (rows, columns) if whole else None

    def phases(self) -> tuple[list[Phase], list[Phase]] | None:
        """The phases of the rows and of the columns of a grid of whole scales.

        None if a scale is not whole, or if somewhere the neighbours are no runs: a published lookup
        that float32 rounding decides is not always regular.
        """
        scales = self.whole_scales()
        if scales is None:
            return None
        rows = _phases(self.rows, self.lr_size[0], scales[0])
        columns = _phases(self.columns, self.lr_size[1], scales[1])
        return (rows, columns) if rows and columns else None

    def part(self, rows: slice, columns: slice) -> SamplingPlan:
        """The plan of some of its rows and columns."""
        return replace(self, rows=self.rows[rows], columns=self.columns[columns])

    def cut(self, top: int, left: int, height: int, width: int) -> SamplingPlan:
        """The same plan over a cut of the LR picture, which must hold all it looks at."""
        return SamplingPlan(self.rows.cut(top), self.columns.cut(left), (height, width))


@dataclass(frozen=True)
class Window:
    """A rectangle of an answer, and the rectangle of the LR picture that it is drawn from.

    Attributes:
        lr_size: (h, w) of the whole LR picture.
        size: (H, W) of the whole answer.
        rows: first row of the answer's rectangle, and the one after the last.
        columns: the same for its columns.
        lr_rows: first row of the LR picture's rectangle, and the one after the last.
        lr_columns: the same for its columns.
    """

    lr_size: tuple[int, int]
    size: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]
    lr_rows: tuple[int, int]
    lr_columns: tuple[int, int]

    def plan(self, lookup: Lookup) -> SamplingPlan:
        """The whole answer's sampling plan for this window, over the LR picture's rectangle."""
        rows = grid_axis(self.lr_size[0], self.size[0], *self.rows, lookup)
        columns = grid_axis(self.lr_size[1], self.size[1], *self.columns, lookup)
        (top, bottom), (left, right) = self.lr_rows, self.lr_columns
        return SamplingPlan(rows.cut(top), columns.cut(left), (bottom - top, right - left))


def windows(
    lr_size: tuple[int, int],
    size: tuple[int, int],
    reach: Callable[[int, int, int, int], tuple[int, int]],
    lr_pixels: int,
) -> list[Window]:
    """Divide an answer into windows, each drawn from so many LR pixels at most.

    Args:
        lr_size: (h, w) of the LR picture.
        size: (H, W) of the answer.
        reach: of (lr, hr, start, stop): the first LR pixel, and the one after the last, that pixels
            start to stop of an axis are drawn from.
        lr_pixels: the most LR pixels of a window.

    Returns:
        The windows row by row; one where the whole picture is not too large.

    Raises:
        InvalidArgument: if even a single pixel of the answer needs more.
    """

    def refuse_beyond(longest: list[int]) -> None:
        if longest[0] * longest[1] > lr_pixels:
            raise InvalidArgument(
                f"a pixel of the answer is drawn from {longest[1]}x{longest[0]} pixels of the "
                f"picture; there is room for {lr_pixels}"
            )

    def divided(i: int, count: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        edges = [size[i] * k // count for k in range(count + 1)]
        spans = zip(edges, edges[1:], strict=False)
        return [(span, reach(lr_size[i], size[i], *span)) for span in spans]

    middle = [reach(lr, hr, hr // 2, hr // 2 + 1) for lr, hr in zip(lr_size, size, strict=True)]
    refuse_beyond([last - first for first, last in middle])
    counts = [1, 1]
    while True:
        axes = [divided(i, count) for i, count in enumerate(counts)]
        longest = [max(last - first for _, (first, last) in axis) for axis in axes]
        if longest[0] * longest[1] <= lr_pixels:
            return [
                Window(lr_size, size, rows, columns, lr_rows, lr_columns)
                for rows, lr_rows in axes[0]
                for columns, lr_columns in axes[1]
            ]
        # The longer side is divided next, unless it is down to pixels.
        divisible = [i for i in (0, 1) if counts[i] < size[i]]
        if not divisible:
            refuse_beyond(longest)
        longer = max(divisible, key=lambda i: longest[i])
        counts[longer] = min(size[longer], counts[longer] + 1 + counts[longer] // 8)


def pixel_centres(size: int) -> np.ndarray:
    """Coordinates of the pixel centres of an axis of `size` pixels, (size,) float32 in [-1, 1].

    Bit for bit those of the published code: double constants, float32 arithmetic.
    """
    return _centres(np.arange(size, dtype=np.float32), np.float32(size))


def cell_size(size: int) -> float:
    """Height (or width) of one of `size` pixels: 2 / size."""
    return 2.0 / size


def output_size(lr_size: Sequence[int], scale: float) -> tuple[int, int]:
    """(H, W) of an (h, w) picture at `scale`, each rounded to the nearest whole pixel, at least 1.

    Raises:
        InvalidArgument: if the scale is not a finite number above 0.
    """
    if not isinstance(scale, Real) or not 0 < float(scale) < np.inf:
        raise InvalidArgument(
            f"scale must be a finite number above 0, for example 3.7; got {scale!r}"
        )
    height, width = (max(1, int(np.floor(n * scale + 0.5))) for n in lr_size)
    return height, width


def whole_numbers(name: str, values: Any, count: int) -> tuple[int, ...]:
    """`values` as a tuple of `count` integers.

    Raises:
        InvalidArgument: naming `name`, if they are not that many whole numbers.
    """
    try:
        numbers = tuple(index(value) for value in values)
    except TypeError:
        numbers = ()
    if len(numbers) != count:
        raise InvalidArgument(f"{name} must be {count} whole numbers; got {values!r}")
    return numbers


def grid_plan(
    lr_size: Sequence[int],
    size: Sequence[int],
    *,
    window: Sequence[int] | None = None,
    lookup: Lookup = "ensemble",
) -> SamplingPlan:
    """The sampling plan of a whole output grid, or of a window of it.

    Args:
        lr_size: (h, w) of the LR picture.
        size: (H, W) of the whole output.
        window: (top, left, height, width) in output pixels; the whole output if None. A window's
            plan equals the same rows and columns of the whole plan.
        lookup: how neighbours are found.

    Raises:
        InvalidArgument: if a size is not positive or the window leaves the output.
    """
    lr_size, size = whole_numbers("LR size", lr_size, 2), whole_numbers("size", size, 2)
    if min(*lr_size, *size) < 1:
        raise InvalidArgument(f"sizes must be at least 1x1 pixels; got {lr_size} to {size}")
    window = (0, 0, *size) if window is None else whole_numbers("window", window, 4)
    top, left, height, width = window
    if (
        min(top, left) < 0
        or min(height, width) < 1
        or top + height > size[0]
        or (left + width > size[1])
    ):
        raise InvalidArgument(
            f"window (top, left, height, width) must lie inside the output {tuple(size)}; "
            f"got {(top, left, height, width)}"
        )
    return SamplingPlan(
        rows=grid_axis(lr_size[0], size[0], top, top + height, lookup),
        columns=grid_axis(lr_size[1], size[1], left, left + width, lookup),
        lr_size=(lr_size[0], lr_size[1]),
    )


def grid_axis(lr: int, hr: int, start: int, stop: int, lookup: Lookup = "ensemble") -> Axis:
    """One axis of a grid: output pixels start <= k < stop of `hr`, over `lr` LR pixels.

    Neighbours follow from the integer k, exactly: in LR pixels the query lies at
    ((2k + 1) lr - hr) / (2 hr), whose floor is the neighbour before it. Through float32
    coordinates, as published, the last pixel of an odd scale is decided by rounding.
    """
    k = np.arange(start, stop, dtype=np.int64)
    return _grid_axis(np, k, np.asarray(lr), np.asarray(hr), lookup)


def traced_grid_axis(lr, hr, start, stop, lookup: Lookup = "ensemble") -> Axis:
    """What `grid_axis` answers, bit for bit, where sizes are known only when the graph is run.

    Args:
        lr: scalar tensor of whole numbers, as are the next three; at most 2^24.
        hr: of the same kind, at most 2^24.
        start: first output pixel.
        stop: the one after the last.
        lookup: how neighbours are found.

    Returns:
        An axis of backend tensors. On JAX, whose integers are of 32 bits unless told otherwise,
        2 lr hr must be below 2^31.
    """
    lr, hr, start, stop = (ops.cast(n, "int64") for n in (lr, hr, start, stop))
    return _grid_axis(ops, ops.arange(start, stop, dtype="int64"), lr, hr, lookup)


def _grid_axis(xp, k, lr, hr, lookup: Lookup) -> Axis:
    """An axis at output pixels k, of NumPy arrays or of tensors: all are int64."""
    cast = np.astype if xp is np else ops.cast
    lr_size, hr_size = cast(lr, "float32"), cast(hr, "float32")
    numerator = (2 * k + 1) * lr - hr
    before = numerator // (2 * hr)
    coordinates = _centres(cast(k, "float32"), hr_size)

    # Offsets are float32 differences, as published: exact ones differ by its rounding, which the
    # weights between very different neighbours, and the sines of DIINN and LTE, would show.
    pair = xp.clip(xp.stack([before, before + 1], axis=-1), 0, lr - 1)
    pair_centres = _centres(cast(pair, "float32"), lr_size)
    pair_offsets = (coordinates[:, None] - pair_centres) * lr_size
    pair_weights = _linear_weights(xp, pair, pair_offsets)
    if lookup == "ensemble":
        indices, offsets, weights = pair, pair_offsets, pair_weights
    else:
        query, first = coordinates, _first_centre(lr_size)
        if lookup == "nearest":
            nearest = _nearest(xp, coordinates, lr_size)
        elif lookup == "nearest-exact":
            nearest = _nearest_exact(xp, cast(k, "float32") + 0.5, lr_size / hr_size, lr_size)
        else:
            cell = 2.0 / hr_size
            nearest = _nearest(xp, _corner(coordinates, cell), lr_size)
            query, first = coordinates - cell / 2, -1.0
        indices = cast(nearest, "int64")[:, None]
        weights = xp.ones_like(indices, dtype="float32")
        steps = (2.0 / lr_size) * cast(indices, "float32")
        offsets = (query[:, None] - (first + steps)) * lr_size
    return Axis(
        indices=cast(indices, "int32"),
        offsets=offsets,
        weights=weights,
        neighbours=_centres(cast(indices, "float32"), lr_size),
        coordinates=coordinates,
        cells=xp.ones_like(coordinates) * (2.0 * lr_size / hr_size),
        pair_indices=cast(pair, "int32"),
        pair_weights=pair_weights,
    )


def _centres(pixels, size):
    """Coordinates of some pixels' centres on an axis of `size` pixels, all of them float32."""
    return _first_centre(size) + (2.0 / size) * pixels


def _first_centre(size):
    """-1 + 1 / size in float32.

    The published code rounds constants from doubles. Up to sizes of 2^24 a float32 quotient of
    whole numbers is the same number: the exact one is never near enough to the middle between two
    float32 numbers for the double's rounding to matter.
    """
    return (1.0 - size) / size


def joined(axes: Sequence[Axis]) -> Axis:
    """One axis after the other as one axis, of NumPy arrays or of tensors."""
    if len(axes) == 1:
        return axes[0]
    join = np.concatenate if isinstance(axes[0].indices, np.ndarray) else ops.concatenate
    arrays = zip(*(axis.arrays() for axis in axes), strict=True)
    return Axis(*(join(list(parts)) for parts in arrays))


def _phases(axis: Axis, lr: int, scale: int) -> list[Phase] | None:
    """Rows i, i + scale, i + 2 scale and so on for each i below the scale and the axis's length."""
    answer = []
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
        answer.append(Phase(part, np.array(starts, np.int32), np.array(pair_starts, np.int32)))
    return answer


def _run(indices: np.ndarray, lr: int) -> int | None:
    """Where consecutive indices, clamped to `lr` pixels, begin; None if they do not follow."""
    for start in (int(indices[0]), int(indices[0]) - 1):
        run = start + np.arange(len(indices))
        if run[-1] <= lr and np.array_equal(np.clip(run, 0, lr - 1), indices):
            return start
    return None


def cubic_axis(
    lr: int, hr: int, start: int, stop: int, first: int = 0, last: int | None = None
) -> np.ndarray:
    """Weights of bicubic resizing (a = -0.5, antialiased) along one axis, as Pillow has them.

    Args:
        lr: pixels of the picture.
        hr: pixels of the answer.
        start: first pixel of the answer that is asked for.
        stop: the one after the last.
        first: first pixel of the picture that is at hand, see `cubic_reach`.
        last: the one after the last; all if None.

    Returns:
        (stop - start, last - first) float32, rows of sum 1.
    """
    last = lr if last is None else last
    stretch = max(lr / hr, 1.0)
    centres = (np.arange(start, stop) + 0.5) * (lr / hr)
    lowest, highest = _cubic_support(centres, lr, stretch)
    pixels = np.arange(first, last)
    x = np.abs((pixels + 0.5 - centres[:, None]) / stretch)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    weights *= (pixels >= lowest[:, None]) & (pixels < highest[:, None])
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def cubic_reach(lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
    """First pixel, and the one after the last, that some pixels of a bicubic answer depend on."""
    centres = (np.array([start, stop - 1]) + 0.5) * (lr / hr)
    lowest, highest = _cubic_support(centres, lr, max(lr / hr, 1.0))
    return int(lowest[0]), int(highest[1])


def _cubic_support(centres: np.ndarray, lr: int, stretch: float) -> tuple[np.ndarray, np.ndarray]:
    lowest = np.maximum((centres - 2 * stretch + 0.5).astype(np.int64), 0)
    return lowest, np.minimum((centres + 2 * stretch + 0.5).astype(np.int64), lr)


def points_plan(
    coordinates, cells, lr_size: Sequence[Any], lookup: Lookup = "ensemble", window=None
) -> SamplingPlan:
    """The sampling plan of scattered points: the same formulas, one query at a time.

    Args:
        coordinates: (batch, points, 2) float32 (row, column) in [-1, 1].
        cells: (batch, points, 2) float32 output pixel sizes, 2 / (H, W).
        lr_size: (h, w) of the LR picture: integers, or scalar tensors inside a traced function.
        lookup: how neighbours are found.
        window: (batch, 4), or None where the LR picture is whole. Where it is a window cut from a
            larger picture: its centre (row, column) and half its (height, width) in the larger
            one's coordinates. The plan's global coordinates are then those of the larger picture.
    """
    axes = []
    for i in (0, 1):
        axis = _points_axis(coordinates[..., i], cells[..., i], lr_size[i], lookup)
        if window is not None:
            centre, half = window[:, i, None], window[:, 2 + i, None]
            axis = replace(
                axis,
                neighbours=centre[..., None] + half[..., None] * axis.neighbours,
                coordinates=centre + half * axis.coordinates,
            )
        axes.append(axis)
    return SamplingPlan(rows=axes[0], columns=axes[1], lr_size=(lr_size[0], lr_size[1]))


def _points_axis(coordinates, cells, lr, lookup: Lookup) -> Axis:
    size = ops.cast(lr, "float32")
    # The first pixel's centre as pixel_centres has it, in float64 where the size is a number.
    centre = float(np.float32(-1 + 1 / lr)) if isinstance(lr, int) else 1.0 / size - 1.0
    before = ops.floor(((coordinates + 1.0) * size - 1.0) / 2.0)
    pair = ops.clip(ops.stack([before, before + 1.0], axis=-1), 0.0, size - 1.0)
    pair_offsets = (coordinates[..., None] - (centre + (2.0 / size) * pair)) * size
    pair_weights = _linear_weights(ops, pair, pair_offsets)
    if lookup == "ensemble":
        indices, offsets, weights = pair, pair_offsets, pair_weights
    else:
        query, first = coordinates, centre
        if lookup == "nearest":
            nearest = _nearest(ops, coordinates, size)
        elif lookup == "nearest-exact":
            output_pixel, ratio = _output_pixel(coordinates, cells, size)
            nearest = _nearest_exact(ops, output_pixel, ratio, size)
        else:
            query, first = coordinates - cells / 2.0, -1.0
            nearest = _nearest(ops, _corner(coordinates, cells), size)
        indices = nearest[..., None]
        weights = ops.ones_like(indices)
        offsets = (query[..., None] - (first + (2.0 / size) * indices)) * size
    return Axis(
        indices=ops.cast(indices, "int32"),
        offsets=offsets,
        weights=weights,
        neighbours=centre + (2.0 / size) * indices,
        coordinates=coordinates,
        cells=cells * size,
        pair_indices=ops.cast(pair, "int32"),
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


def _nearest(xp, coordinates, size):
    """Index of the nearest pixel as grid_sample finds it (float32, half to even), as floats."""
    inside = xp.clip(coordinates, -1 + _INSIDE, 1 - _INSIDE)
    scaled = ((inside + 1.0) * size - 1.0) / 2.0
    return (xp.rint if xp is np else xp.round)(scaled)


def _corner(coordinates, cells):
    """What Meta-SR looks up: the output pixel's top left corner, seen from the LR corners.

    An LR pixel's corner lies half a pixel before its centre, so the nearest centre to the corner
    itself is that of the pixel it lies in; the published nudge keeps corners on a boundary in the
    pixel that begins there.
    """
    return coordinates - cells / 2 + _INSIDE


def _output_pixel(coordinates, cells, size):
    """(k + 1/2, LR size / HR size) of points, as the grid of their cell has them.

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
    return centre, size / count


def _nearest_exact(xp, position, ratio, size):
    """floor((k + 1/2) x LR size / HR size) in float32, as floats; at most the last pixel."""
    return xp.minimum(xp.floor(position * ratio), size - 1)
