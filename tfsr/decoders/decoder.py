"""What every coordinate decoder is, and the three ways to run one: points, grids and phases.

A decoder says six things, and shares all the rest:

- `latent_features`: what it keeps of an encoded image;
- `project`: the part of its work that depends on the LR pixel alone, once per LR pixel;
- `project_cell`: the part that depends on the LR pixel and the output pixel's size, once per LR
  pixel and output size;
- `modulation`: the part that depends on the query's position alone, once per query;
- `add_row_terms`: the part that depends on the LR pixel and the query's row, once for the two;
- `decode`: the rest, for one neighbour of every query.

`decode` sees gathered features and geometry that broadcasts against them, whatever their leading
shape: (batch, points) in training, (batch, rows, columns) with per-axis geometry in images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import keras
from keras import ops, tree

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.geometry import (
    Axis,
    Neighbour,
    NeighbourMode,
    Phase,
    SamplingPlan,
    concat_axes,
    lattice_plan,
    points_plan,
)

SKIPS = ("bilinear", "nearest", "none")
"""How the input may be interpolated that is added to the output."""


class Decoder(keras.layers.Layer):
    """Base of the decoders: local ensemble, bilinear skip, points and grids.

    Coordinates, weights and the sum over neighbours stay float32 whatever the dtype policy; the
    features' own work follows it.

    Args:
        local_ensemble: bool. Whether the four LR pixels around a query answer together, weighted
            by area (LIIF, section 3.2); otherwise the nearest one outputs.
        input_skip: bool or str. Whether the interpolated input is added to the output, and by which
            interpolation: "bilinear" (True), "nearest", or "none" (False).

    Raises:
        InvalidArgument: for another interpolation.
    """

    def __init__(self, *, local_ensemble: bool, input_skip: bool | str, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if isinstance(input_skip, bool):
            input_skip = "bilinear" if input_skip else "none"
        if input_skip not in SKIPS:
            raise InvalidArgument(
                f"skip must be one of {', '.join(SKIPS)}; received {input_skip!r}."
                + did_you_mean(str(input_skip), SKIPS)
            )
        self.local_ensemble = local_ensemble
        self.input_skip = input_skip != "none"
        self.nearest_skip = input_skip == "nearest"

    # What a decoder says.

    def project(self, features):
        """(batch, h, w, feature channels) to what one LR pixel contributes, (batch, h, w, n)."""
        raise NotImplementedError(f"{type(self).__name__} must define project")

    def project_cell(self, projected, row_cell, column_cell):
        """What the output pixel's size does to projected features, before any position does.

        Called only if `has_cell_projection`. It acts on each LR pixel by itself: a grid runs it on
        the maps, and points that do not share one cell run it on what was gathered for each.

        Args:
            projected: what `project` returned, each (batch, h, w, n) or (batch, points, n).
            row_cell: float32, broadcastable to (..., 1): output pixel height, one LR pixel being 2.
            column_cell: the same of its width.

        Returns:
            Tensors of the same leading shape, in any nesting, for `add_row_terms` and `decode`.
        """
        return projected

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """What depends on the queries' coordinates alone; handed to every `decode`."""
        return None

    def add_row_terms(self, features: Any, rows: Neighbour) -> Any:
        """What the rows' geometry does to projected features, before columns come into play.

        A grid runs it before it gathers columns, so on (batch, rows, w, n).
        """
        return features

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """One neighbour's answer to every query, (..., 3) in [-1, 1] before ensemble and skip.

        Args:
            features: what `project` gave for that neighbour, and `add_row_terms` made of it.
            rows: its geometry on the row axis, each value (..., 1) and broadcastable.
            columns: the same on the column axis.
            modulation: what `modulation` gave.
        """
        raise NotImplementedError(f"{type(self).__name__} must define decode")

    def latent_features(
        self,
        features,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ):
        """What the decoder keeps of an encoded image beside the image, (batch, h, w, channels).

        Args:
            features: (batch, h, w, channels) from the encoder.
            image: (batch, h, w, 3) the input in [-1, 1].
            coordinates: rows (..., h) and columns (..., w) of the LR pixels in the whole image, in
                [-1, 1], where this one is cropped from it; None if it is the whole image.
            training: whether this is a training step.
            sample: whether a stochastic decoder samples its noise.
        """
        return features

    # What all of them share.

    def latent(self, features, image, **arguments: Any):
        """One float32 tensor of all that the decoder needs of an image, (batch, h, w, channels).

        Arguments as those of `latent_features`.
        """
        return self.join(self.latent_features(features, image, **arguments), image)

    def join(self, features, image):
        """Features and, where there is a skip, the normalised input, as one float32 tensor."""
        parts = [features, image] if self.input_skip else [features]
        return ops.concatenate([ops.cast(part, "float32") for part in parts], axis=-1)

    has_cell_projection = False
    """Whether this decoder has `project_cell`."""

    has_sub_pixels = False
    """Whether this decoder has `sub_pixels`: all sub-pixels of an LR pixel by one convolution."""

    global_coordinates = False
    """Whether the output depends on where in the whole image a query lies."""

    @property
    def latent_coordinates(self) -> bool:
        """Whether `latent` depends on where in the whole image the LR pixels lie."""
        return False

    @property
    def sums_rows_first(self) -> bool:
        """Whether a grid may add up the row neighbours before it gathers columns.

        `decode` must be linear in the features; rows enter through `add_row_terms` alone.
        """
        return False

    @property
    def neighbour_mode(self) -> NeighbourMode:
        """How this decoder finds its LR neighbours."""
        return "ensemble" if self.local_ensemble else "nearest"

    @property
    def query_width(self) -> int:
        """The width of the widest layer that is run for each query."""
        widths = [weight.shape[-1] for weight in self.weights if len(weight.shape) == 2]
        return max(widths, default=1)

    @property
    def frame(self) -> int:
        """How far outside the LR image a run of neighbours may reach; see `geometry.Phase`."""
        return int(self.local_ensemble)

    def pad_edges(self, projected, image):
        """What `split` answers, with edges repeated as far as `grid_phase` reaches outside."""
        if self.frame:
            projected = tree.map_structure(_repeat_edges, projected)
        return projected, image if image is None else _repeat_edges(image)

    @property
    def halo(self) -> int:
        """How far from a pixel `project` depends on the latent, in LR pixels."""
        return 1

    @property
    def latent_halo(self) -> int:
        """How far `latent` depends on the image beside the encoder, in LR pixels."""
        return 0

    def split(self, latent, plan: SamplingPlan | None = None):
        """A latent's projected features, and its input channels (None without skip).

        Args:
            latent: (batch, h, w, channels).
            plan: of the grid to render. Without it the features are those of every output size,
                and `project_for` makes them those of one.
        """
        features, image = self.parts(latent)
        projected = self.project(ops.cast(features, self.compute_dtype))
        return (projected if plan is None else self.project_for(plan, projected)), image

    def project_for(self, plan: SamplingPlan, projected):
        """`project_cell` for the one cell that all pixels of a grid have."""
        if not self.has_cell_projection:
            return projected
        cells = [ops.reshape(axis.cells[0], (1, 1, 1, 1)) for axis in (plan.rows, plan.columns)]
        return self.project_cell(projected, *cells)

    def parts(self, latent):
        """A latent's features, and its input channels (None without skip)."""
        return (latent[..., :-3], latent[..., -3:]) if self.input_skip else (latent, None)

    def call(self, latent, coordinates, cells, window=None):
        """Colours (batch, points, 3) in [-1, 1] of scattered points; see `geometry.points_plan`."""
        projected, image = self.split(latent)
        plan = points_plan(
            coordinates, cells, tuple(ops.shape(latent)[1:3]), self.neighbour_mode, window
        )
        if not self.has_cell_projection:
            return self._points(projected, image, plan)

        def each_pixel():
            # (batch, 1, 1, 1): the one cell of all points of an image.
            row_cell, column_cell = (
                axis.cells[:, :1, None, None] for axis in (plan.rows, plan.columns)
            )
            return self._points(self.project_cell(projected, row_cell, column_cell), image, plan)

        def each_point():
            return self._points(projected, image, plan, self.project_cell)

        # In training an image has a quarter as many LR pixels as its points have neighbours.
        return ops.cond(ops.all(cells == cells[:, :1]), each_pixel, each_point)

    def _points(self, projected, image, plan: SamplingPlan, project_cell: Callable | None = None):
        """Colours of a plan of points; `project_cell` is applied to what is gathered for each."""
        batch, height, width = (ops.shape(tree.flatten(projected)[0])[axis] for axis in range(3))
        first = ops.reshape(ops.arange(batch) * height * width, (-1, 1))

        def gather(source, row_indices, column_indices):
            flat = ops.reshape(source, (-1, source.shape[-1]))
            return ops.take(flat, first + row_indices * width + column_indices, axis=0)

        def features(i, j):
            row, column = plan.rows.indices[..., i], plan.columns.indices[..., j]
            gathered = tree.map_structure(lambda source: gather(source, row, column), projected)
            rows, columns = plan.rows.neighbour(i), plan.columns.neighbour(j)
            if project_cell is not None:
                gathered = project_cell(gathered, rows.cell, columns.cell)
            return self.add_row_terms(gathered, rows)

        def pixels(i, j):
            return gather(image, plan.rows.pair_indices[..., i], plan.columns.pair_indices[..., j])

        modulation = self.modulation(plan.rows, plan.columns)
        return self._blend(features, pixels, plan.rows, plan.columns, modulation)

    def grid(self, projected, image, plan: SamplingPlan, modulation: Any = None):
        """Colours (batch, rows, columns, 3) in [-1, 1] of a grid.

        Args:
            projected: the first of what `split` returned for the plan, each map (batch, h, w, n).
            image: (batch, h, w, 3) or None, the second.
            plan: the grid's, from `geometry.grid_plan` with this decoder's `neighbour_mode`.
            modulation: what `grid_modulation` returned for the plan's axes, if that was kept.
        """

        # A grid is two gathers along an axis each: no index is made per pixel.
        def take_rows(source, index):
            return ops.take(source, index[0, :, 0], axis=1)

        def take_columns(source, index):
            return ops.take(source, index[0, 0], axis=2)

        rows, columns = _broadcastable(plan.rows, plan.columns)
        return self._blend_axes(
            projected, image, rows, columns, take_rows, take_columns, modulation
        )

    def lattice(self, latent, rows, columns, cells, window=None):
        """Colours (batch, P, Q, 3) in [-1, 1] of a lattice: each image's own rows and columns.

        A crop of a grid at any scale, or some of its rows and columns: what training on dense
        patches needs, at two gathers along an axis each.

        Args:
            latent: (batch, h, w, channels).
            rows: (batch, P) float32 row coordinates in [-1, 1].
            columns: (batch, Q) float32 column coordinates in [-1, 1].
            cells: (batch, 2) output pixel sizes, 2 / (H, W).
            window: (batch, 4) or None; see `geometry.points_plan`.
        """
        projected, image = self.split(latent)
        plan = lattice_plan(
            rows, columns, cells, ops.shape(latent)[1:3], self.neighbour_mode, window
        )
        if self.has_cell_projection:
            cells = [axis.cells[:, :1, None, None] for axis in (plan.rows, plan.columns)]
            projected = self.project_cell(projected, *cells)
        return self._blend_axes(
            projected,
            image,
            plan.rows.map(lambda x: x[:, :, None]),
            plan.columns.map(lambda x: x[:, None]),
            *lattice_gathers(),
        )

    def _blend_axes(
        self, projected, image, rows: Axis, columns: Axis, take_rows, take_columns, modulation=None
    ):
        """Colours of all rows times all columns: values of axes broadcast against these two.

        Args:
            projected: as in `grid`.
            image: as in `grid`.
            rows: values (batch or 1, rows, 1, ...).
            columns: values (batch or 1, 1, columns, ...).
            take_rows: of a map and the rows' indices: (batch, rows, w, n).
            take_columns: of such a map and the columns' indices: (batch, rows, columns, n).
            modulation: as in `grid`.
        """

        @cache
        def features_of_rows(i):
            row = rows.neighbour(i)
            gathered = tree.map_structure(lambda x: take_rows(x, row.index), projected)
            return self.add_row_terms(gathered, row)

        @cache
        def pixels_of_rows(i):
            return take_rows(image, rows.pair_indices[..., i])

        row_features, summed = self._row_features(features_of_rows, rows)

        def features(i, j):
            index = columns.indices[..., j]
            return tree.map_structure(lambda x: take_columns(x, index), row_features(i))

        def pixels(i, j):
            return take_columns(pixels_of_rows(i), columns.pair_indices[..., j])

        if modulation is None:
            modulation = self.modulation(rows, columns)
        return self._blend(features, pixels, summed, columns, modulation)

    def _row_features(self, features_of_rows: Callable, rows: Axis) -> tuple[Callable, Axis]:
        """The row neighbours' features as `_blend` takes them, and its row axis.

        Where the decoder allows it they are added up, with their weights, to one neighbour's.
        """
        count = rows.indices.shape[-1]
        if not self.sums_rows_first or count == 1:
            return features_of_rows, rows

        @cache
        def summed(_: int):
            return sum(rows.neighbour(i).weight * features_of_rows(i) for i in range(count))

        one = replace(
            rows,
            indices=rows.indices[..., :1],
            offsets=rows.offsets[..., :1],
            weights=ops.ones_like(rows.weights[..., :1]),
            neighbours=rows.neighbours[..., :1],
        )
        return summed, one

    def grid_modulation(self, rows: Axis, columns: Axis) -> Any:
        """`modulation` of a grid: the same for every image of a size. None if there is none."""
        return self.modulation(*_broadcastable(rows, columns))

    def grid_phase(
        self, projected, image, rows: Phase, columns: Sequence[Phase], modulation: Any = None
    ):
        """Colours (batch, rows, columns, 3) in [-1, 1] of every s-th row of a grid.

        Nothing is gathered: each neighbour's features are a rectangle of the map.

        Args:
            projected: the first of what `pad_edges` returned.
            image: the second.
            rows: a phase of the plan's rows.
            columns: phases of its columns that have as many neighbours each; the output has theirs
                one after the other.
            modulation: what `grid_modulation` returned for the phases' axes, if that was kept.
        """
        all_columns = concat_axes([phase.axis for phase in columns])
        row_axis, column_axis = _broadcastable(rows.axis, all_columns)
        height, *widths = (ops.shape(phase.axis.coordinates)[0] for phase in (rows, *columns))

        def of_rows(source, top):
            batch, _, width, channels = ops.shape(source)
            return ops.slice(source, (0, top, 0, 0), (batch, height, width, channels))

        def of_columns(source, lefts):
            batch, _, _, channels = ops.shape(source)
            parts = [
                ops.slice(source, (0, 0, left, 0), (batch, height, width, channels))
                for left, width in zip(lefts, widths, strict=True)
            ]
            return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=2)

        @cache
        def features_of_rows(i):
            top = rows.starts[i] + self.frame
            cut = tree.map_structure(lambda source: of_rows(source, top), projected)
            return self.add_row_terms(cut, row_axis.neighbour(i))

        row_features, summed = self._row_features(features_of_rows, row_axis)

        def features(i, j):
            lefts = [phase.starts[j] + self.frame for phase in columns]
            return tree.map_structure(lambda x: of_columns(x, lefts), row_features(i))

        def pixels(i, j):
            lefts = [phase.pair_starts[j] + 1 for phase in columns]
            return of_columns(of_rows(image, rows.pair_starts[i] + 1), lefts)

        if modulation is None:
            modulation = self.modulation(row_axis, column_axis)
        return self._blend(features, pixels, summed, column_axis, modulation)

    def integer_scale(self, latent, plan: SamplingPlan, draw: Callable | None = None):
        """Colours (batch, s h, t w, 3) in [-1, 1] of a whole image at whole scales s and t.

        Phase after phase, and no gather: what a TFLite delegate accepts.

        Args:
            latent: (batch, h, w, channels).
            plan: of NumPy arrays, of the whole image, with this decoder's `neighbour_mode`.
            draw: what draws in the place of `grid_phase`, of the same arguments.

        Raises:
            InvalidArgument: if the scales are not whole numbers, or the lookup is not regular.
        """
        phases = plan.phases()
        if phases is None:
            raise InvalidArgument(
                f"phases need whole scales; got {plan.lr_size} to "
                f"{(len(plan.rows), len(plan.columns))}"
            )
        rows, columns = phases
        projected, image = self.pad_edges(*self.split(latent, plan))
        draw = draw or self.grid_phase
        # Phases of one neighbour, which odd scales have, and of two are drawn apart.
        groups = [
            [i for i, phase in enumerate(columns) if len(phase.starts) == count] for count in (1, 2)
        ]
        groups = [group for group in groups if group]
        parts = {}
        for i, row in enumerate(rows):
            for group in groups:
                colours = draw(projected, image, row, [columns[j] for j in group])
                # WebGPU delegates abort at a split into one.
                split = [colours] if len(group) == 1 else ops.split(colours, len(group), axis=2)
                parts.update({(i, j): part for j, part in zip(group, split, strict=True)})
        ordered = [parts[i, j] for i, j in product(range(len(rows)), range(len(columns)))]
        return pixel_shuffle(ops.concatenate(ordered, axis=-1), len(rows), len(columns))

    def _blend(self, features, pixels, rows: Axis, columns: Axis, modulation: Any) -> Any:
        """The sum over neighbours, `features(i, j)` and `pixels(i, j)` being those of one."""
        output: Any = 0.0
        for i in range(rows.indices.shape[-1]):
            row = rows.neighbour(i)
            along: Any = 0.0
            for j in range(columns.indices.shape[-1]):
                column = columns.neighbour(j)
                colours = self.decode(features(i, j), row, column, modulation)
                along += column.weight * ops.cast(colours, "float32")
            output += row.weight * along
        if self.input_skip:
            row_weights, column_weights = self.skip_weights(rows), self.skip_weights(columns)
            for i in range(2):
                along = sum(column_weights[..., j, None] * pixels(i, j) for j in range(2))
                output += row_weights[..., i, None] * along
        return output

    def skip_weights(self, axis: Axis):
        """Weights (..., 2) of the pair of LR pixels of which the skip is interpolated."""
        if not self.nearest_skip:
            return axis.pair_weights
        if self.local_ensemble:
            after = ops.cast(axis.pair_weights[..., 1] > 0.5, "float32")
        else:
            # Of a tie the lookup itself has decided.
            after = ops.cast(axis.pair_indices[..., 0] != axis.indices[..., 0], "float32")
        return ops.stack([1.0 - after, after], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The layer's own arguments; subclasses add theirs."""
        config = super().get_config()
        config.pop("autocast", None)
        return config


def pixel_shuffle(x, rows: int, columns: int):
    """Sub-pixels of LR pixels as an image: (batch, h, w, rows columns n) to (..., n).

    Channels are ordered by sub-pixel row, sub-pixel column and colour.
    """
    if rows == columns == 1:
        return x
    if rows == columns:
        return ops.depth_to_space(x, rows)
    batch, height, width, channels = ops.shape(x)
    n = channels // (rows * columns)
    # Four axes, the most that delegates transpose: the columns' order is right already.
    x = ops.reshape(x, (batch * height, width, rows, columns * n))
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.reshape(x, (batch, height * rows, width * columns, n))


def _broadcastable(rows: Axis, columns: Axis) -> tuple[Axis, Axis]:
    """Axes of tensors whose values broadcast against (batch, rows, columns, n).

    They have all of these axes. Of fewer, Keras takes some sums for a bias, and WebGPU delegates
    take the first for the batch.
    """
    return (
        rows.map(lambda x: ops.convert_to_tensor(x)[None, :, None]),
        columns.map(lambda x: ops.convert_to_tensor(x)[None, None]),
    )


def lattice_gathers() -> tuple[Callable, Callable]:
    """`take_rows` and `take_columns` where each image of a batch has indices of its own.

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


def _repeat_edges(source):
    """(batch, h, w, n) with its edges repeated once, (batch, h + 2, w + 2, n)."""
    source = ops.concatenate([source[:, :1], source, source[:, -1:]], axis=1)
    return ops.concatenate([source[:, :, :1], source, source[:, :, -1:]], axis=2)
