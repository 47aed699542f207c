"""Drawing with an `ImplicitSR`: compiled, piece by piece, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from tfsr.backend import jit, on_accelerator
from tfsr.decoders.linear import MAX_SUB_PIXELS, Tail
from tfsr.geometry import Axis, Phase, SamplingPlan, Tile, grid_axis, grid_plan
from tfsr.models.renderer import Patch, aligned

# Queries decoded together. A processor's caches like few; an accelerator needs many to be busy.
_QUERIES_ON_PROCESSOR = 8192
# Layers this narrow take less time than TensorFlow needs to start them: 65,536 queries at a time
# halve the time of LM-LTE, whose layers are 16 wide.
_NARROW, _NARROW_QUERIES_ON_PROCESSOR = 32, 2**16
_QUERIES_ON_ACCELERATOR = 2**18


class ImplicitRenderer:
    """Draws with an `ImplicitSR`, piece by piece.

    A piece is a band of rows; at whole scales, where that is faster, a band of every s-th row and
    column (a phase); or everything, where a decoder makes all sub-pixels by one convolution.

    Args:
        model: an `ImplicitSR`.
        memory: int. Bytes that drawing may take: half of it is for the maps of a window, a quarter
            for the values of a piece while it is decoded (one row is drawn whatever it takes), and
            a quarter for what is kept.
        keep: bool. Whether what depends on the queries' coordinates alone (ARASFSR's branch of
            sines, 4 KiB a pixel at full width) is kept for the next image of the same size, as
            far as there is room, unless images are drawn in tiles; and whether the kernels of a
            linear decoder are cached for the next image or tile of the same scale. The model's
            weights must not change then. Defaults to False.
    """

    def __init__(self, model: Any, memory: int, keep: bool = False) -> None:
        self.decoder = model.decoder
        self.halo = model.halo
        self.size_multiple = model.encoder.size_multiple
        self.keep = memory // 4 if keep else 0
        self._kept: dict[Any, Any] = {}
        self._kept_bytes, self._room = 0, self.keep
        self._kept_for: Any = None
        self._tail: tuple[tuple[int, int], tuple[Any, ...]] | None = None

        # One pixel, drawn to see what a pixel takes.
        latent = model.encode(np.zeros((1, 1, 1, 3), np.float32))
        one = grid_plan((1, 1), (1, 1), neighbour_mode=self.decoder.neighbour_mode)
        projected, _ = self.decoder.split(latent, one)
        maps_bytes = _bytes(latent) + _bytes(projected)
        if self.decoder.has_cell_projection:
            maps_bytes += _bytes(self.decoder.split(latent)[0])
        # What the encoder has alive, then latent and maps, and these again with repeated edges.
        self.bytes_per_lr_pixel = 4 * model.encoder.peak_channels + 2 * maps_bytes
        self.lr_pixels = memory // 2 // self.bytes_per_lr_pixel
        self.modulation_bytes = _bytes(self.decoder.grid_modulation(one.rows, one.columns))
        # Gathered features, and at most six values alive at once between the layers.
        self.query_bytes = (
            _bytes(projected) + self.modulation_bytes + 6 * 4 * self.decoder.query_width
        )
        most = _QUERIES_ON_PROCESSOR
        if on_accelerator():
            most = _QUERIES_ON_ACCELERATOR
        elif self.decoder.query_width <= _NARROW:
            most = _NARROW_QUERIES_ON_PROCESSOR
        self._queries = max(1, min(most, memory // 4 // self.query_bytes))

        def maps(image, coordinates):
            return self.decoder.split(model.encode(image, coordinates=coordinates))

        def cell_maps(projected, row_cell, column_cell):
            cells = [ops.reshape(cell, (1, 1, 1, 1)) for cell in (row_cell, column_cell)]
            return self.decoder.project_cell(projected, *cells)

        def band(projected, image, rows, columns, modulation):
            plan = SamplingPlan(Axis(*rows), Axis(*columns), (0, 0))
            return 0.5 * self.decoder.grid(projected, image, plan, modulation) + 0.5

        def phase(projected, image, rows, columns, modulation):
            row_phase, column_phases = Phase.of(rows), [Phase.of(columns)]
            colours = self.decoder.grid_phase(
                projected, image, row_phase, column_phases, modulation
            )
            return 0.5 * colours + 0.5

        def sub_pixels(image, coordinates, tail):
            features, normalised = model.encode_parts(image, coordinates=coordinates)
            return 0.5 * self.decoder.sub_pixels(features, normalised, Tail(*tail)) + 0.5

        def modulation(rows, columns):
            return self.decoder.grid_modulation(Axis(*rows), Axis(*columns))

        self._maps = jit(maps, model)
        self._cell_maps = jit(cell_maps, model)
        self._framed = jit(self.decoder.pad_edges, model)
        self._band = jit(band, model)
        # Rows and columns have one neighbour or two: not a size, but another computation.
        self._phase = {counts: jit(phase, model) for counts in product((1, 2), repeat=2)}
        self._sub_pixels = jit(sub_pixels, model, static_shape_args=(2,))
        self._condition = jit(modulation, model)

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: the neighbours, and around them what their maps depend on."""
        first, last = grid_axis(lr, hr, start, stop, self.decoder.neighbour_mode).span()
        # Fewer than a multiple before: `render` crops them, so that the image begins at a multiple.
        return max(0, first - self.halo - self.size_multiple + 1), min(lr, last + self.halo)

    def render(self, image, window: Tile) -> Iterator[Patch]:
        """As `Renderer.render`."""
        whole = window.rows == (0, window.size[0]) and window.columns == (0, window.size[1])
        # Of an image in tiles there is room for little, and it would lie between what they free.
        self._room = self.keep if whole else 0
        if not whole or (window.lr_size, window.size) != self._kept_for:
            self._kept.clear()
            self._kept_bytes = 0
            self._kept_for = (window.lr_size, window.size)
        image, window = aligned(image, window, self.size_multiple)
        return self.pieces(image, window.plan(self.decoder.neighbour_mode))

    def pieces(self, image, plan: SamplingPlan) -> Iterator[Patch]:
        """Draw images.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            plan: of NumPy arrays, over images of that size.
        """
        image = ops.convert_to_tensor(image, "float32")
        scales = plan.integer_scales()
        if scales and self.decoder.has_sub_pixels and math.prod(scales) <= MAX_SUB_PIXELS:
            return self._at_once(image, plan, scales)
        return self.pieces_of(self._maps(image, self._coordinates(plan)), plan)

    def pieces_of(self, maps: tuple[Any, Any], plan: SamplingPlan) -> Iterator[Patch]:
        """Draw encoded images: `maps` is what the decoder's `split` answered."""
        projected, image = maps
        if self.decoder.has_cell_projection:
            cells = [
                ops.convert_to_tensor(axis.cells[0], "float32")
                for axis in (plan.rows, plan.columns)
            ]
            projected = self._cell_maps(projected, *cells)
        scales = plan.integer_scales()
        # Phases have no neighbours of weight 0, which odd scales have, and gather nothing, which
        # tells where there is but one neighbour. Bands compute `add_row_terms` less often.
        if scales and (not self.decoder.local_ensemble or any(scale % 2 for scale in scales)):
            phases = plan.phases()
            if phases is not None:
                return self._by_phases(projected, image, *phases)
        return self._by_bands(projected, image, plan)

    def _by_bands(self, projected, image, plan: SamplingPlan) -> Iterator[Patch]:
        columns = _tensors(plan.columns.arrays())
        height, width = len(plan.rows), len(plan.columns)
        count = self._rows_per_piece(projected, width)
        for start in range(0, height, count):
            span = slice(start, min(start + count, height))
            band = plan.rows[span]
            rows = _tensors(band.arrays())
            modulation = self._condition_of(band, plan.columns, rows, columns)
            colours = self._band(projected, image, rows, columns, modulation)
            yield span, slice(0, width), ops.convert_to_numpy(colours)

    def _by_phases(
        self, projected, image, rows: list[Phase], columns: list[Phase]
    ) -> Iterator[Patch]:
        projected, image = self._framed(projected, image)
        column_tensors = [_tensors(phase.arrays()) for phase in columns]
        count = self._rows_per_piece(projected, len(columns[0].axis))
        for start in range(0, len(rows[0].axis), count):
            bands = [phase[start : start + count] for phase in rows if start < len(phase.axis)]
            maps = projected
            if not self.decoder.frame:
                # Without a frame a neighbour is the map itself, but for the rows of other bands.
                top = min(int(band.starts[0]) for band in bands)
                bottom = max(int(band.starts[0]) + len(band.axis) for band in bands)
                maps = tree.map_structure(lambda x, a=top, b=bottom: x[:, a:b], projected)
                bands = [band.shift(top) for band in bands]
            for i, band in enumerate(bands):
                row_tensors = _tensors(band.arrays())
                first = i + start * len(rows)
                span = slice(first, first + (len(band.axis) - 1) * len(rows) + 1, len(rows))
                for j, phase in enumerate(columns):
                    tensors = row_tensors[:-2], column_tensors[j][:-2]
                    modulation = self._condition_of(band.axis, phase.axis, *tensors)
                    draw = self._phase[len(band.starts), len(phase.starts)]
                    colours = draw(maps, image, row_tensors, column_tensors[j], modulation)
                    last = j + (len(phase.axis) - 1) * len(columns)
                    yield span, slice(j, last + 1, len(columns)), ops.convert_to_numpy(colours)

    def _at_once(self, image, plan: SamplingPlan, scales: tuple[int, int]) -> Iterator[Patch]:
        tail = self._tail_at(scales)
        colours = ops.convert_to_numpy(self._sub_pixels(image, self._coordinates(plan), tail))
        batch, height, width = colours.shape[:3]
        colours = colours.reshape(batch, height, width, *scales, 3).transpose(0, 1, 3, 2, 4, 5)
        colours = colours.reshape(batch, height * scales[0], width * scales[1], 3)
        spans = []
        for axis, scale in zip((plan.rows, plan.columns), scales, strict=True):
            # The offset from an LR pixel, two to an LR pixel, says which sub-pixel it is: from the
            # centre to the sub-pixel's centre, or from corner to corner.
            offset = float(axis.offsets[0, 0]) / 2 * scale
            if self.decoder.neighbour_mode != "corner":
                offset += (scale - 1) / 2
            first = int(axis.indices[0, 0]) * scale + round(offset)
            spans.append(slice(first, first + len(axis)))
        yield slice(0, len(plan.rows)), slice(0, len(plan.columns)), colours[:, *spans]

    def _tail_at(self, scales: tuple[int, int]) -> tuple[Any, ...]:
        """The tensors of a tail; the last one is cached where weights do not change."""
        cached = self._tail
        if cached is None or cached[0] != scales or not self.keep:
            cached = scales, _tensors(self.decoder.tail(scales).tensors())
            self._tail = cached if self.keep else None
        return cached[1]

    def _coordinates(self, plan: SamplingPlan) -> tuple[Any, ...] | None:
        """Of the LR pixels in the whole image, where the latent depends on them."""
        if not self.decoder.latent_coordinates:
            return None
        return _tensors(plan.lr_coordinates())

    def _rows_per_piece(self, projected, width: int) -> int:
        batch = tree.flatten(projected)[0].shape[0]
        return max(1, self._queries // (batch * width))

    def _condition_of(self, rows: Axis, columns: Axis, row_tensors, column_tensors) -> Any:
        """What is kept for these queries, kept from now on if it fits; None if it does not."""
        key = tuple((*axis.coordinates[[0, -1]].tolist(), len(axis)) for axis in (rows, columns))
        if key not in self._kept:
            size = self.modulation_bytes * len(rows) * len(columns)
            if not size or self._kept_bytes + size > self._room:
                return None
            self._kept[key] = self._condition(row_tensors, column_tensors)
            self._kept_bytes += size
        return self._kept[key]


def _tensors(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(None if x is None else ops.convert_to_tensor(x) for x in arrays)


def _bytes(tensors: Any) -> int:
    """Bytes of nested tensors; None has none."""
    return sum(
        math.prod(x.shape) * (2 if "16" in keras.backend.standardize_dtype(x.dtype) else 4)
        for x in tree.flatten(tensors)
        if x is not None
    )
