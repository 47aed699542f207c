"""Linear decoders as matrix products: one convolution at integer scales, dense lattices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders import LinearDecoder
from tfsr.geometry import Axis, NeighbourMode, SamplingPlan, grid_plan
from tfsr.rendering.blending import add_mean, mean_colour, skip_weights
from tfsr.rendering.samplers import batched_gather


@dataclass(frozen=True)
class Tail:
    """Everything after the latent, at one integer scale, as one convolution.

    Outputs are in the order sub-pixel row, sub-pixel column, colour.

    Attributes:
        kernel: (kh, kw, n, 3 s t), applied to `LinearDecoder.tail_input`.
        bias: (kh, kw, 1, 3 s t), the kernel of a map of ones (1x1: a bias like any other); or None.
        skip: (3 or 1, 3 or 1, 3, 3 s t), the kernel of the input; None without skip.
        row_gains: (2, s), factors of the sub-pixels of the first and of the last row.
        column_gains: (2, t), the same of the columns.
    """

    kernel: Any
    bias: Any
    skip: Any
    row_gains: Any
    column_gains: Any

    def tensors(self) -> tuple[Any, ...]:
        """The attributes, as a compiled function takes them: `Tail(*tail.tensors())`."""
        return self.kernel, self.bias, self.skip, self.row_gains, self.column_gains


def make_tail(decoder: LinearDecoder, scales: tuple[int, int]) -> Tail:
    """Merge last layer, basis, ensemble and skip into one kernel.

    Args:
        decoder: a linear decoder.
        scales: the integer scales s (rows) and t (columns).

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "thera").decoder
        >>> tfsr.rendering.make_tail(decoder, (2, 2)).kernel.shape
        TensorShape([1, 1, 192, 12])
    """
    axes = _inner_pixel(scales, decoder.neighbour_mode)
    values = _tap_values(decoder, axes)
    last, bias = decoder.last_layer, None
    colours_of = decoder.basis_layer.colours
    if last is None or not decoder.merges_last_layer:
        kernel = ops.einsum("ijpm,mc->ijmpc", values, colours_of)
    else:
        colours = ops.einsum("ijpm,mc->ijpmc", values, colours_of)
        weights = ops.cast(ops.convert_to_tensor(last.kernel), "float32")
        # One of the two is 1x1: its taps are those of the other.
        if decoder.local_ensemble:
            kernel = ops.einsum("nm,ijpmc->ijnpc", weights[0, 0], colours)
        else:
            kernel = ops.einsum("ijnm,pmc->ijnpc", weights, colours[0, 0])
        if last.use_bias:
            bias = ops.cast(ops.convert_to_tensor(last.bias), "float32")
            bias = _flat(ops.einsum("m,ijpmc->ijpc", bias, colours)[:, :, None])
    gains = [_edge_gains(axis) for axis in axes]
    return Tail(_flat(kernel), bias, _skip_kernel(decoder, axes), *gains)


def apply_tail(decoder: LinearDecoder, features, image, tail: Tail):
    """Compute all sub-pixels of each LR pixel, (batch, h, w, s t 3) float32 in [-1, 1].

    At an edge of the image an ensemble blends the edge's pixel with itself. A convolution padded
    with zeros gives that pixel the weight of one neighbour alone; the gains of the first and last
    rows and columns make up for it.

    Args:
        decoder: a linear decoder.
        features: from `Decoder.latent`.
        image: (batch, h, w, 3), the input in [-1, 1]; not used without skip.
        tail: from `make_tail`.
    """
    features = decoder.tail_input(ops.cast(features, decoder.compute_dtype))
    kernel = ops.cast(tail.kernel, decoder.compute_dtype)
    colours = ops.cast(
        ops.conv(features, kernel, padding="same", data_format="channels_last"), "float32"
    )
    if tail.bias is not None:
        if decoder.local_ensemble:
            ones = ops.ones((1, *ops.shape(features)[1:3], 1), dtype="float32")
            colours += ops.conv(ones, tail.bias, padding="same", data_format="channels_last")
        else:
            colours += tail.bias[0, 0]
    # The name makes an exporter keep in float32 what follows the convolution.
    with keras.name_scope("output"):
        blended, plain = ([colours], []) if decoder.local_ensemble else ([], [colours])
        if decoder.input_skip:
            skip = ops.conv(image, tail.skip, padding="same", data_format="channels_last")
            (plain if decoder.nearest_skip else blended).append(skip)
        if any(decoder.mean):
            plain.append(np.tile(mean_colour(decoder), colours.shape[-1] // 3))
        if blended:
            row_gains, column_gains = _map_gains(tail, *ops.shape(features)[1:3])
            plain.append(sum(blended[1:], blended[0]) * row_gains * column_gains)
        return sum(plain[1:], plain[0])


def pixel_shuffle(x, rows: int, columns: int):
    """Move sub-pixels into place: (batch, h, w, rows columns n) to (batch, h rows, w columns, n).

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


def multiply_columns(decoder: LinearDecoder, projected, image, plan: SamplingPlan):
    """Render a lattice of a separable basis, with one matrix product along the columns.

    No map of the lattice's size is gathered, so nothing is scattered when it is differentiated.

    Args:
        decoder: a linear decoder whose basis separates.
        projected: its coefficients, (batch, h, w, n).
        image: (batch, h, w, 3), or None without skip.
        plan: from `geometry.lattice_plan`.
    """
    width, basis = ops.shape(projected)[2], decoder.basis_layer
    row_axis = plan.rows.map(lambda x: x[:, :, None])
    take_rows, _ = batched_gather()
    partial: Any = 0.0
    for i in range(row_axis.indices.shape[-1]):
        row = row_axis.neighbour(i)
        partial += row.weight * decoder.add_row_terms(take_rows(projected, row.index), row)

    # (batch, rows, w, sums) times (batch, columns, w, sums), over w and the sums of a colour.
    spread: Any = 0.0
    for j in range(plan.columns.indices.shape[-1]):
        column = plan.columns.neighbour(j)
        values = (column.weight * basis.column_values(column))[:, :, None]
        spread += ops.one_hot(column.index, width)[..., None] * values
    colours = _column_product(partial, spread, basis.parts)

    if decoder.input_skip:
        row_weights = skip_weights(decoder, plan.rows)
        column_weights = skip_weights(decoder, plan.columns)
        rows_of_image: Any = 0.0
        for i in range(2):
            pixels = take_rows(image, plan.rows.pair_indices[:, :, None, i])
            rows_of_image += row_weights[..., i, None, None] * pixels
        spread = sum(
            column_weights[..., j, None] * ops.one_hot(plan.columns.pair_indices[..., j], width)
            for j in range(2)
        )
        colours += ops.einsum("bywc,bxw->byxc", rows_of_image, spread)
    return add_mean(decoder, colours)


def _column_product(partial, spread, parts: int):
    """Sum over LR columns and over a colour's partial sums: (batch, rows, columns, 3).

    Args:
        partial: (batch, rows, w, sums), the sums in the order part, colour, function.
        spread: (batch, columns, w, sums), their factors.
        parts: the number of parts.
    """
    batch, rows, width, sums = ops.shape(partial)
    columns, functions = ops.shape(spread)[1], sums // (3 * parts)
    partial = ops.reshape(partial, (batch, rows, width, parts, 3, functions))
    partial = ops.transpose(partial, (0, 1, 4, 2, 3, 5))
    partial = ops.reshape(partial, (batch, rows * 3, width * parts * functions))
    spread = ops.reshape(spread, (batch, columns, width, parts, 3, functions))[..., 0, :]
    spread = ops.reshape(spread, (batch, columns, width * parts * functions))
    colours = ops.matmul(partial, ops.transpose(spread, (0, 2, 1)))
    return ops.transpose(ops.reshape(colours, (batch, rows, 3, columns)), (0, 1, 3, 2))


def _inner_pixel(scales: tuple[int, int], mode: NeighbourMode) -> tuple[Axis, Axis]:
    """The sub-pixels of an LR pixel with a neighbour on every side: LR pixel 1 of 3.

    Their offsets are exact: rounding in a plan's coordinates depends on where an LR pixel lies.
    """
    plan = grid_plan((3, 3), (3 * scales[0], 3 * scales[1]), neighbour_mode=mode)
    axes = []
    for axis, scale in zip((plan.rows, plan.columns), scales, strict=True):
        axis = axis[scale : 2 * scale]
        # From the neighbour's corner to the sub-pixel's, or from centre to centre.
        place = 0.0 if mode == "corner" else 0.5 - scale / 2
        pixels = np.arange(scale)[:, None] + place - scale * (axis.indices - 1)
        axes.append(replace(axis, offsets=np.float32(2 * pixels / scale)))
    return axes[0], axes[1]


def _tap_values(decoder: LinearDecoder, axes: tuple[Axis, Axis]):
    """The basis at each sub-pixel and neighbour, weighted: (kh, kw, s t, coefficients)."""
    rows = axes[0].map(lambda x: x[:, None])
    columns = axes[1].map(lambda x: x[None])
    total: Any = 0.0
    for i in range(rows.indices.shape[-1]):
        for j in range(columns.indices.shape[-1]):
            row, column = rows.neighbour(i), columns.neighbour(j)
            values = decoder.basis_layer.values(row, column) * (row.weight * column.weight)
            taps = [_taps(axis.indices[:, n]) for axis, n in zip(axes, (i, j), strict=True)]
            if not decoder.local_ensemble:
                taps = [np.ones_like(tap[:, :1]) for tap in taps]
            total += ops.einsum("si,tj,stm->ijstm", *taps, values)
    return ops.reshape(total, (*total.shape[:2], -1, total.shape[-1]))


def _skip_kernel(decoder: LinearDecoder, axes: tuple[Axis, Axis]):
    """The kernel that interpolates the input, (kh, kw, 3, 3 s t); None without skip."""
    if not decoder.input_skip:
        return None
    if decoder.nearest_skip:
        taps = [np.ones((len(axis), 1), np.float32) for axis in axes]
    else:
        taps = [
            sum(axis.pair_weights[:, j, None] * _taps(axis.pair_indices[:, j]) for j in (0, 1))
            for axis in axes
        ]
    return _flat(np.einsum("si,tj,nc->ijnstc", *taps, np.eye(3, dtype=np.float32)))


def _taps(indices: np.ndarray) -> np.ndarray:
    """One-hot rows (n, 3) of (n,) LR pixels of 3."""
    return np.eye(3, dtype=np.float32)[indices]


def _edge_gains(axis: Axis) -> np.ndarray:
    """Factors (2, n) that restore weights of sum 1 at the first and at the last pixel."""
    share = sum(axis.pair_weights[:, j] * (axis.pair_indices[:, j] == 1) for j in (0, 1))
    gains = [
        np.where((axis.pair_indices == outside).any(axis=1), 1 / share, 1.0) for outside in (0, 2)
    ]
    return np.array(gains, np.float32)


def _map_gains(tail: Tail, height: Any, width: Any) -> tuple[Any, Any]:
    """The gains of every row, (1, h, 1, 3 s t), and of every column, (1, 1, w, 3 s t)."""
    (_, s), (_, t) = tail.row_gains.shape, tail.column_gains.shape
    fixed = isinstance(height, int) and isinstance(width, int)
    # Where sizes and tail are known beforehand, so are the gains: constants, not operations.
    xp = np if fixed and isinstance(tail.row_gains, np.ndarray) else ops
    rows = xp.repeat(_of_pixels(xp, tail.row_gains, height), 3 * t, axis=-1)
    columns = xp.tile(xp.repeat(_of_pixels(xp, tail.column_gains, width), 3, axis=-1), (1, s))
    return rows[None, :, None], columns[None, None]


def _of_pixels(xp: Any, gains: Any, length: Any) -> Any:
    """Gains (2, n) of an axis's ends to gains (length, n) of all its pixels."""
    index = xp.arange(length)[:, None]
    one = xp.ones_like(gains[:1])
    first = xp.where(index == 0, gains[:1], one)
    return first * xp.where(index == length - 1, gains[1:], one)


def _flat(kernel):
    """Flatten a kernel's output axes: (kh, kw, n, ...) to (kh, kw, n, outputs)."""
    return ops.reshape(kernel, (*kernel.shape[:3], math.prod(kernel.shape[3:])))
