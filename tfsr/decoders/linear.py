"""Decoders whose output is linear in a few coefficients of each LR pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders.decoder import Decoder, lattice_gathers, pixel_shuffle
from tfsr.geometry import Axis, Neighbour, NeighbourMode, SamplingPlan, grid_plan, lattice_plan
from tfsr.layers import Basis, Convolution, weighted_sum

MAX_SUB_PIXELS = 64
"""The most sub-pixels of an LR pixel for which one convolution is faster than bands of rows."""


@dataclass(frozen=True)
class Tail:
    """Everything after the latent, at one integer scale, as one convolution.

    Outputs are in the order sub-pixel row, sub-pixel column, colour.

    Attributes:
        kernel: (kh, kw, n, 3 s t), of what `LinearDecoder.tail_input` returns.
        bias: (kh, kw, 1, 3 s t), the kernel of a map of ones (1x1: a bias like any other); or None.
        skip: (3 or 1, 3 or 1, 3, 3 s t), the kernel of the input; None without skip.
        row_gains: (2, s), the factors of the sub-pixels of the first and of the last row.
        column_gains: (2, t), the same of the columns.
    """

    kernel: Any
    bias: Any
    skip: Any
    row_gains: Any
    column_gains: Any

    def tensors(self) -> tuple[Any, ...]:
        """The attributes, for a compiled function: `Tail(*tail.tensors())` is the same tail."""
        return self.kernel, self.bias, self.skip, self.row_gains, self.column_gains


class LinearDecoder(Decoder):
    """Base of decoders that multiply coefficients by functions of the position and add them up.

    The coefficients of an LR pixel come from its features, by layers of any kind; the functions, a
    `Basis`, depend on the offset and on the scale. All that depends on the output pixel is
    therefore a dot product; and at an integer scale, where every LR pixel has the same offsets,
    the last linear layer, the functions, the local ensemble and the skip are one convolution and
    a pixel shuffle (`tail`, `sub_pixels`).

    A subclass defines `coefficients`; where a single convolution computes them from the latent, it
    names that layer as `last_layer`.

    Args:
        basis: the functions.
        local_ensemble: bool. Whether the four LR pixels around a query are blended, or the nearest
            one is taken alone.
        skip: str. How the input is interpolated that is added: "bilinear", "nearest" or "none".
        mean: sequence of float. A colour added to the output, in [0, 1]. Defaults to black.
    """

    def __init__(
        self,
        basis: Basis,
        *,
        local_ensemble: bool,
        skip: str,
        mean: tuple[float, ...] = (0.0, 0.0, 0.0),
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=skip, **kwargs)
        self.skip = skip
        self.basis_layer = basis
        self.mean = mean

    # What a linear decoder says.

    def coefficients(self, features):
        """(batch, h, w, channels) of the latent to (batch, h, w, `basis.coefficients`)."""
        raise NotImplementedError(f"{type(self).__name__} must define coefficients")

    @property
    def last_layer(self) -> Convolution | None:
        """The convolution from the latent's features to coefficients; None if it takes more."""
        return None

    def tail_input(self, features):
        """What a tail's convolution sees: the last layer's input, or the coefficients."""
        return features if self.merges_last_layer else self.coefficients(features)

    @property
    def merges_last_layer(self) -> bool:
        """Whether a tail's convolution includes the last layer.

        With an ensemble only a 1x1 layer can be included: a larger kernel would give coefficients
        to pixels outside the image, which have no share in the blend.
        """
        last = self.last_layer
        return last is not None and (not self.local_ensemble or tuple(last.kernel_size) == (1, 1))

    # What they share.

    @property
    def sums_rows_first(self) -> bool:
        """As `Decoder.sums_rows_first`."""
        return self.basis_layer.separable

    def project(self, features):
        """The coefficients of each LR pixel."""
        return self.coefficients(features)

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """The basis' values, where a query has one neighbour and they do not separate."""
        if self.basis_layer.separable or self.local_ensemble:
            return None
        return self.basis_layer.values(rows.neighbour(0), columns.neighbour(0))

    def add_row_terms(self, features, rows: Neighbour):
        """The coefficients, contracted at the row's offset where the basis separates."""
        return (
            self.basis_layer.contract_rows(features, rows)
            if self.basis_layer.separable
            else features
        )

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """The sum of products of coefficients and basis."""
        if self.basis_layer.separable:
            values, colours = (
                self.basis_layer.column_values(columns),
                self.basis_layer.column_colours,
            )
        else:
            values = self.basis_layer.values(rows, columns) if modulation is None else modulation
            colours = self.basis_layer.colours
        return weighted_sum(features, values, colours)

    def _blend(self, features, pixels, rows: Axis, columns: Axis, modulation: Any) -> Any:
        colours = super()._blend(features, pixels, rows, columns, modulation)
        return colours + self._constant if any(self.mean) else colours

    @property
    def _constant(self) -> np.ndarray:
        """The mean colour, as it is added to an output in [-1, 1]."""
        return 2 * np.array(self.mean, np.float32)

    def lattice(self, latent, rows, columns, cells, window=None):
        """As `Decoder.lattice`: columns by one product of matrices where the basis separates.

        No map of the lattice's size is gathered, so nothing is scattered when it is differentiated.
        """
        if not self.basis_layer.separable:
            return super().lattice(latent, rows, columns, cells, window)
        projected, image = self.split(latent)
        size = ops.shape(latent)[1:3]
        plan = lattice_plan(rows, columns, cells, size, self.neighbour_mode, window)
        row_axis = plan.rows.map(lambda x: x[:, :, None])
        take_rows, _ = lattice_gathers()
        partial: Any = 0.0
        for i in range(row_axis.indices.shape[-1]):
            row = row_axis.neighbour(i)
            partial += row.weight * self.add_row_terms(take_rows(projected, row.index), row)

        # (batch, rows, w, sums) times (batch, columns, w, sums), over w and the sums of a colour.
        spread: Any = 0.0
        for j in range(plan.columns.indices.shape[-1]):
            column = plan.columns.neighbour(j)
            values = (column.weight * self.basis_layer.column_values(column))[:, :, None]
            spread += ops.one_hot(column.index, size[1])[..., None] * values
        colours = _column_product(partial, spread, self.basis_layer.parts)

        if self.input_skip:
            row_weights = self.skip_weights(plan.rows)
            column_weights = self.skip_weights(plan.columns)
            rows_of_image: Any = 0.0
            for i in range(2):
                pixels = take_rows(image, plan.rows.pair_indices[:, :, None, i])
                rows_of_image += row_weights[..., i, None, None] * pixels
            spread = sum(
                column_weights[..., j, None]
                * ops.one_hot(plan.columns.pair_indices[..., j], size[1])
                for j in range(2)
            )
            colours += ops.einsum("bywc,bxw->byxc", rows_of_image, spread)
        return colours + self._constant if any(self.mean) else colours

    has_sub_pixels = True

    def tail(self, scales: tuple[int, int]) -> Tail:
        """The tail at integer scales s (rows) and t (columns)."""
        axes = _inner_pixel(scales, self.neighbour_mode)
        values = self._tap_values(axes)
        last, bias = self.last_layer, None
        if last is None or not self.merges_last_layer:
            # Of coefficients: each colour's are multiplied and added up.
            kernel = ops.einsum("ijpm,mc->ijmpc", values, self.basis_layer.colours)
        else:
            colours = ops.einsum("ijpm,mc->ijpmc", values, self.basis_layer.colours)
            weights = ops.cast(ops.convert_to_tensor(last.kernel), "float32")
            # One of the two is 1x1: its taps are those of the other.
            if self.local_ensemble:
                kernel = ops.einsum("nm,ijpmc->ijnpc", weights[0, 0], colours)
            else:
                kernel = ops.einsum("ijnm,pmc->ijnpc", weights, colours[0, 0])
            if last.use_bias:
                bias = ops.cast(ops.convert_to_tensor(last.bias), "float32")
                bias = _flat(ops.einsum("m,ijpmc->ijpc", bias, colours)[:, :, None])
        gains = [_edge_gains(axis) for axis in axes]
        return Tail(_flat(kernel), bias, self._skip_kernel(axes), *gains)

    def sub_pixels(self, features, image, tail: Tail):
        """All sub-pixels of each LR pixel, (batch, h, w, s t 3) float32 in [-1, 1].

        At an edge of the image an ensemble blends the edge's pixel with itself. A convolution
        padded with zeros gives that pixel the weight of one neighbour alone, which the gains of the
        first and last rows and columns make up for.

        Args:
            features: what `latent_features` returned.
            image: (batch, h, w, 3) the input in [-1, 1]; not used without skip.
            tail: what `tail` returned for the scales s and t.
        """
        features = self.tail_input(ops.cast(features, self.compute_dtype))
        kernel = ops.cast(tail.kernel, self.compute_dtype)
        colours = ops.cast(ops.conv(features, kernel, padding="same"), "float32")
        if tail.bias is not None:
            if self.local_ensemble:
                ones = ops.ones((1, *ops.shape(features)[1:3], 1))
                colours += ops.conv(ones, tail.bias, padding="same")
            else:
                colours += tail.bias[0, 0]
        # Named as the output: an exporter keeps in float32 what follows the convolution.
        with keras.name_scope("output"):
            return self._with_skip(colours, image, tail, ops.shape(features)[1:3])

    def _with_skip(self, colours, image, tail: Tail, lr_size: tuple[Any, Any]):
        """Colours before their gains, with gains, skip and mean."""
        blended, plain = ([colours], []) if self.local_ensemble else ([], [colours])
        if self.input_skip:
            skip = ops.conv(image, tail.skip, padding="same")
            (plain if self.nearest_skip else blended).append(skip)
        if any(self.mean):
            plain.append(np.tile(self._constant, colours.shape[-1] // 3))
        if blended:
            row_gains, column_gains = _map_gains(tail, *lr_size)
            plain.append(sum(blended[1:], blended[0]) * row_gains * column_gains)
        return sum(plain[1:], plain[0])

    def integer_scale(self, latent, plan: SamplingPlan, draw: Any = None):
        """As `Decoder.integer_scale`: here one convolution and a pixel shuffle."""
        scales = plan.integer_scales()
        if scales is None:
            return super().integer_scale(latent, plan, draw)
        features, image = self.parts(latent)
        return pixel_shuffle(self.sub_pixels(features, image, self.tail(scales)), *scales)

    def _tap_values(self, axes: tuple[Axis, Axis]):
        """The basis at each sub-pixel and neighbour, weighted: (kh, kw, s t, coefficients)."""
        rows = axes[0].map(lambda x: x[:, None])
        columns = axes[1].map(lambda x: x[None])
        total: Any = 0.0
        for i in range(rows.indices.shape[-1]):
            for j in range(columns.indices.shape[-1]):
                row, column = rows.neighbour(i), columns.neighbour(j)
                values = self.basis_layer.values(row, column) * (row.weight * column.weight)
                taps = [_taps(axis.indices[:, n]) for axis, n in zip(axes, (i, j), strict=True)]
                if not self.local_ensemble:
                    taps = [np.ones_like(tap[:, :1]) for tap in taps]
                total += ops.einsum("si,tj,stm->ijstm", *taps, values)
        return ops.reshape(total, (*total.shape[:2], -1, total.shape[-1]))

    def _skip_kernel(self, axes: tuple[Axis, Axis]):
        """The kernel of the input that interpolates it, (kh, kw, 3, 3 s t); None without skip."""
        if not self.input_skip:
            return None
        if self.nearest_skip:
            taps = [np.ones((len(axis), 1), np.float32) for axis in axes]
        else:
            taps = [
                sum(axis.pair_weights[:, j, None] * _taps(axis.pair_indices[:, j]) for j in (0, 1))
                for axis in axes
            ]
        return _flat(np.einsum("si,tj,nc->ijnstc", *taps, np.eye(3, dtype=np.float32)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments that all linear decoders have."""
        return {
            **super().get_config(),
            "local_ensemble": self.local_ensemble,
            "skip": self.skip,
        }


def _inner_pixel(scales: tuple[int, int], neighbour_mode: NeighbourMode) -> tuple[Axis, Axis]:
    """The sub-pixels of an LR pixel that has a neighbour on every side: LR pixel 1 of 3.

    Their offsets are exact: rounding in a plan's coordinates depends on where an LR pixel lies.
    """
    plan = grid_plan((3, 3), (3 * scales[0], 3 * scales[1]), neighbour_mode=neighbour_mode)
    axes = []
    for axis, scale in zip((plan.rows, plan.columns), scales, strict=True):
        axis = axis[scale : 2 * scale]
        # From the neighbour's corner to the sub-pixel's, or from centre to centre.
        place = 0.0 if neighbour_mode == "corner" else 0.5 - scale / 2
        pixels = np.arange(scale)[:, None] + place - scale * (axis.indices - 1)
        axes.append(replace(axis, offsets=np.float32(2 * pixels / scale)))
    return axes[0], axes[1]


def _taps(indices: np.ndarray) -> np.ndarray:
    """(n,) LR pixels of 3 to (n, 3), 1 at each one's own."""
    return np.eye(3, dtype=np.float32)[indices]


def _edge_gains(axis: Axis) -> np.ndarray:
    """The factors (2, n) that restore a sum of weights of 1 at the first and at the last pixel.

    There the pixel itself is left, without the one before it or the one after it.
    """
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
    """(2, n) gains of an axis' ends to (length, n) gains of all its pixels."""
    index = xp.arange(length)[:, None]
    one = xp.ones_like(gains[:1])
    first = xp.where(index == 0, gains[:1], one)
    return first * xp.where(index == length - 1, gains[1:], one)


def _flat(kernel):
    """A kernel of outputs in several axes, (kh, kw, n, ...) to (kh, kw, n, outputs)."""
    return ops.reshape(kernel, (*kernel.shape[:3], math.prod(kernel.shape[3:])))


def _column_product(partial, spread, parts: int):
    """Sums over LR columns and over a colour's partial sums: (batch, rows, columns, 3).

    Args:
        partial: (batch, rows, w, sums), the sums in the order part, colour, function.
        spread: (batch, columns, w, sums), what each of them is multiplied by.
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
