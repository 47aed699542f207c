"""Render a latent at points, lattices and grids, all queries at once."""

from __future__ import annotations

from typing import Any

from keras import ops

from tfsr.decoders import Decoder, LinearDecoder
from tfsr.geometry import SamplingPlan, lattice_plan, points_plan
from tfsr.rendering.blending import blend
from tfsr.rendering.linear_tail import multiply_columns
from tfsr.rendering.maps import project
from tfsr.rendering.samplers import (
    batched_gather,
    broadcastable,
    sample_grid,
    sample_points,
    shared_gather,
)


def render_points(decoder: Decoder, latent, coordinates, cells, window=None):
    """Compute the colours of scattered points.

    Args:
        decoder: the decoder.
        latent: (batch, h, w, channels).
        coordinates: (batch, points, 2), (row, column) in [-1, 1].
        cells: (batch, points, 2), output pixel sizes 2 / (H, W).
        window: (batch, 4) or None; see `geometry.points_plan`.

    Returns:
        (batch, points, 3) float32 in [-1, 1].

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "liif").decoder
        >>> latent = np.zeros((1, 4, 4, 64), np.float32)
        >>> points = np.ones((1, 9, 2), np.float32)
        >>> tfsr.rendering.render_points(decoder, latent, points, points).shape
        TensorShape([1, 9, 3])
    """
    projected, image = project(decoder, latent)
    lr_size = tuple(ops.shape(latent)[1:3])
    plan = points_plan(coordinates, cells, lr_size, decoder.neighbour_mode, window)
    if not decoder.has_cell_projection:
        return blend(decoder, sample_points(decoder, projected, image, plan))

    def one_cell():
        row_cell, column_cell = (
            ops.reshape(axis.cells[:, :1], (-1, 1, 1, 1)) for axis in (plan.rows, plan.columns)
        )
        maps = decoder.project_cell(projected, row_cell, column_cell)
        return blend(decoder, sample_points(decoder, maps, image, plan))

    def many_cells():
        samples = sample_points(decoder, projected, image, plan, decoder.project_cell)
        return blend(decoder, samples)

    # In training, points have four times as many neighbours as the image has LR pixels, so the cell
    # is applied to the maps where all points share it.
    return ops.cond(ops.all(cells == cells[:, :1]), one_cell, many_cells)


def render_lattice(decoder: Decoder, latent, rows, columns, cells, window=None):
    """Compute the colours of a lattice: all of each image's own rows and columns.

    It is a crop of a grid at any scale, or some of its rows and columns: what training on dense
    patches needs, at one gather per axis.

    Args:
        decoder: the decoder.
        latent: (batch, h, w, channels).
        rows: (batch, P) float32 row coordinates in [-1, 1].
        columns: (batch, Q) float32 column coordinates in [-1, 1].
        cells: (batch, 2) output pixel sizes, 2 / (H, W).
        window: (batch, 4) or None; see `geometry.points_plan`.

    Returns:
        (batch, P, Q, 3) float32 in [-1, 1].

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "liif").decoder
        >>> shapes = (1, 4, 4, 64), (1, 3), (1, 5), (1, 2)
        >>> arrays = [np.zeros(shape, np.float32) for shape in shapes]
        >>> tfsr.rendering.render_lattice(decoder, *arrays).shape
        TensorShape([1, 3, 5, 3])
    """
    projected, image = project(decoder, latent)
    lr_size = ops.shape(latent)[1:3]
    plan = lattice_plan(rows, columns, cells, lr_size, decoder.neighbour_mode, window)
    if isinstance(decoder, LinearDecoder) and decoder.basis_layer.separable:
        return multiply_columns(decoder, projected, image, plan)
    if decoder.has_cell_projection:
        sizes = [
            ops.reshape(axis.cells[:, :1], (-1, 1, 1, 1)) for axis in (plan.rows, plan.columns)
        ]
        projected = decoder.project_cell(projected, *sizes)
    row_axis = plan.rows.map(lambda x: x[:, :, None])
    column_axis = plan.columns.map(lambda x: x[:, None])
    gather = batched_gather()
    samples = sample_grid(decoder, projected, image, row_axis, column_axis, gather)
    return blend(decoder, samples)


def render_grid(decoder: Decoder, latent, plan: SamplingPlan):
    """Compute the colours of a grid at once; `latent` is (batch, h, w, channels).

    Returns:
        (batch, rows, columns, 3) float32 in [-1, 1].

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "liif").decoder
        >>> plan = tfsr.geometry.grid_plan((4, 4), (6, 7))
        >>> tfsr.rendering.render_grid(decoder, np.zeros((1, 4, 4, 64), np.float32), plan).shape
        TensorShape([1, 6, 7, 3])
    """
    return render_band(decoder, *project(decoder, latent, plan), plan)


def render_band(decoder: Decoder, projected, image, plan: SamplingPlan, modulation: Any = None):
    """As `render_grid`, of projected maps; `modulation` may have been computed before."""
    axes = broadcastable(plan.rows, plan.columns)
    samples = sample_grid(decoder, projected, image, *axes, shared_gather, modulation)
    return blend(decoder, samples)
