"""Samplers: where the features of LR neighbours come from, for points, grids and phases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from keras import ops, tree

from tfsr.decoders import Decoder
from tfsr.geometry import Axis, Phase, SamplingPlan, concat_axes

Gather = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]
"""Two functions of a map and indices: one takes rows, the other columns."""


@dataclass(frozen=True)
class Samples:
    """What `blend` needs of a set of queries.

    Attributes:
        features: returns the features of row neighbour i and column neighbour j.
        pixels: returns the input pixels of the pair (i, j) of linear interpolation.
        rows: geometry of the row axis.
        columns: geometry of the column axis.
        modulation: from `Decoder.modulation`.
    """

    features: Callable[[int, int], Any]
    pixels: Callable[[int, int], Any]
    rows: Axis
    columns: Axis
    modulation: Any


def sample_points(
    decoder: Decoder,
    projected: Any,
    image: Any,
    plan: SamplingPlan,
    project_cell: Callable[..., Any] | None = None,
) -> Samples:
    """Sample scattered points: one gather per neighbour.

    Args:
        decoder: the decoder.
        projected: its projected maps, each (batch, h, w, n).
        image: (batch, h, w, 3), or None without skip.
        plan: of points, from `geometry.points_plan`.
        project_cell: applied to what is gathered for each point.
    """
    batch, height, width = (ops.shape(tree.flatten(projected)[0])[axis] for axis in range(3))
    first = ops.reshape(ops.arange(batch) * height * width, (-1, 1))

    def gather(source, row_indices, column_indices):
        flat = ops.reshape(source, (-1, source.shape[-1]))
        return ops.take(flat, first + row_indices * width + column_indices, axis=0)

    row_neighbours, column_neighbours = plan.rows.all_neighbours(), plan.columns.all_neighbours()

    def features(i, j):
        rows, columns = row_neighbours[i], column_neighbours[j]
        found = tree.map_structure(lambda x: gather(x, rows.index, columns.index), projected)
        if project_cell is not None:
            found = project_cell(found, rows.cell, columns.cell)
        return decoder.add_row_terms(found, rows)

    def pixels(i, j):
        return gather(image, plan.rows.pair_indices[..., i], plan.columns.pair_indices[..., j])

    modulation = decoder.modulation(plan.rows, plan.columns)
    return Samples(features, pixels, plan.rows, plan.columns, modulation)


def sample_grid(
    decoder: Decoder,
    projected: Any,
    image: Any,
    rows: Axis,
    columns: Axis,
    gather: Gather,
    modulation: Any = None,
) -> Samples:
    """Sample all rows times all columns: a gather along each axis.

    Args:
        decoder: the decoder.
        projected: its projected maps, each (batch, h, w, n).
        image: (batch, h, w, 3), or None without skip.
        rows: values (batch or 1, rows, 1, ...).
        columns: values (batch or 1, 1, columns, ...).
        gather: `shared_gather`, or `batched_gather()`.
        modulation: computed before for these axes; None: it is computed now.
    """
    take_rows, take_columns = gather

    @cache
    def features_of_rows(i):
        row = rows.neighbour(i)
        found = tree.map_structure(lambda x: take_rows(x, row.index), projected)
        return decoder.add_row_terms(found, row)

    @cache
    def pixels_of_rows(i):
        return take_rows(image, rows.pair_indices[..., i])

    row_features, summed = _row_features(decoder, features_of_rows, rows)

    def features(i, j):
        index = columns.indices[..., j]
        return tree.map_structure(lambda x: take_columns(x, index), row_features(i))

    def pixels(i, j):
        return take_columns(pixels_of_rows(i), columns.pair_indices[..., j])

    if modulation is None:
        modulation = decoder.modulation(rows, columns)
    return Samples(features, pixels, summed, columns, modulation)


def sample_phase(
    decoder: Decoder,
    projected: Any,
    image: Any,
    rows: Phase,
    columns: Sequence[Phase],
    modulation: Any = None,
) -> Samples:
    """Sample every s-th row of a grid without a gather: neighbours are slices of the maps.

    Args:
        decoder: the decoder.
        projected: its projected maps after `pad_edges`.
        image: the input after `pad_edges`, or None without skip.
        rows: a phase of the plan's rows.
        columns: phases of its columns with equally many neighbours; their pixels are concatenated.
        modulation: computed before for these axes; None: it is computed now.
    """
    row_axis, column_axis = broadcastable(rows.axis, concat_axes([x.axis for x in columns]))
    height, *widths = (ops.shape(phase.axis.coordinates)[0] for phase in (rows, *columns))
    padding = edge_padding(decoder)

    def slice_rows(source, top):
        batch, _, width, channels = ops.shape(source)
        return ops.slice(source, (0, top, 0, 0), (batch, height, width, channels))

    def slice_columns(source, lefts):
        batch, _, _, channels = ops.shape(source)
        parts = [
            ops.slice(source, (0, 0, left, 0), (batch, height, width, channels))
            for left, width in zip(lefts, widths, strict=True)
        ]
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=2)

    @cache
    def features_of_rows(i):
        top = rows.starts[i] + padding
        found = tree.map_structure(lambda x: slice_rows(x, top), projected)
        return decoder.add_row_terms(found, row_axis.neighbour(i))

    row_features, summed = _row_features(decoder, features_of_rows, row_axis)

    def features(i, j):
        lefts = [phase.starts[j] + padding for phase in columns]
        return tree.map_structure(lambda x: slice_columns(x, lefts), row_features(i))

    def pixels(i, j):
        lefts = [phase.pair_starts[j] + 1 for phase in columns]
        return slice_columns(slice_rows(image, rows.pair_starts[i] + 1), lefts)

    if modulation is None:
        modulation = decoder.modulation(row_axis, column_axis)
    return Samples(features, pixels, summed, column_axis, modulation)


def edge_padding(decoder: Decoder) -> int:
    """LR pixels outside the image that a phase's neighbours may lie at."""
    return int(decoder.local_ensemble)


def pad_edges(decoder: Decoder, projected: Any, image: Any) -> tuple[Any, Any]:
    """Repeat the edges of maps and input as far as `sample_phase` needs them."""
    if edge_padding(decoder):
        projected = tree.map_structure(_repeat_edges, projected)
    return projected, image if image is None else _repeat_edges(image)


def broadcastable(rows: Axis, columns: Axis) -> tuple[Axis, Axis]:
    """Give axes of n values shapes that broadcast against (batch, rows, columns, n).

    They keep four dimensions: with fewer, Keras treats some additions as a bias, and WebGPU
    delegates treat the first dimension as the batch.
    """
    return (
        rows.map(lambda x: ops.convert_to_tensor(x)[None, :, None]),
        columns.map(lambda x: ops.convert_to_tensor(x)[None, None]),
    )


shared_gather: Gather = (
    lambda source, index: ops.take(source, index[0, :, 0], axis=1),
    lambda source, index: ops.take(source, index[0, 0], axis=2),
)
"""For grids: all images of a batch have the same indices."""


def batched_gather() -> Gather:
    """For lattices: each image of a batch has its own indices.

    Images lie one after the other in a flat map: Keras has no gather with a batch axis.
    """

    def take_rows(source, index):
        batch, height, width, channels = ops.shape(source)
        first = ops.reshape(ops.arange(batch) * height, (-1, 1))
        flat = ops.reshape(source, (-1, width, channels))
        return ops.take(flat, first + index[..., 0], axis=0)

    def take_columns(source, index):
        batch, rows, width, channels = ops.shape(source)
        first = ops.reshape(ops.arange(batch * rows) * width, (batch, rows, 1))
        flat = ops.reshape(source, (-1, channels))
        return ops.take(flat, first + index, axis=0)

    return take_rows, take_columns


def _row_features(decoder: Decoder, features_of_rows, rows: Axis) -> tuple[Callable, Axis]:
    """Features by row neighbour, and the row axis; one weighted sum where the decoder allows it."""
    count = rows.indices.shape[-1]
    if not decoder.sums_rows_first or count == 1:
        return features_of_rows, rows

    @cache
    def summed(_: int):
        return sum(rows.weights[..., i : i + 1] * features_of_rows(i) for i in range(count))

    one = replace(
        rows,
        indices=rows.indices[..., :1],
        offsets=rows.offsets[..., :1],
        weights=ops.ones_like(rows.weights[..., :1]),
        neighbours=rows.neighbours[..., :1],
    )
    return summed, one


def _repeat_edges(source):
    """(batch, h, w, n) with its edges repeated once, (batch, h + 2, w + 2, n)."""
    source = ops.concatenate([source[:, :1], source, source[:, -1:]], axis=1)
    return ops.concatenate([source[:, :, :1], source, source[:, :, -1:]], axis=2)
