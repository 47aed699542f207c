"""Rendering with an `ImplicitSR`: compiled, patch by patch, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from keras import ops, tree

from tfsr.backend import AXIS, MAP, STATIC, jit
from tfsr.geometry import Axis, Phase, SamplingPlan, Tile, grid_axis
from tfsr.rendering.blending import blend
from tfsr.rendering.linear_tail import Tail, apply_tail, make_tail
from tfsr.rendering.maps import denormalize, project
from tfsr.rendering.memory import memory_cost, query_budget
from tfsr.rendering.queries import render_band
from tfsr.rendering.renderer import BatchPatch, align
from tfsr.rendering.samplers import broadcastable, edge_padding, pad_edges, sample_phase
from tfsr.rendering.schedule import Schedule, schedule

_PHASE = (AXIS, STATIC, STATIC)


class ImplicitRenderer:
    """Renders with an `ImplicitSR`, as `schedule` says.

    Args:
        model: an `ImplicitSR`.
        memory: bytes that rendering may take: half of it is for the maps of a tile, a quarter for
            the queries decoded together (one row is rendered whatever it takes), and a quarter for
            the cache.
        cache: whether modulations (ARASFSR's branch of sines, 4 KiB a pixel at full width) are
            cached for the next image of the same size, unless images are rendered in tiles, and
            the kernels of a linear decoder for the next image or tile of the same scale. The
            model's weights must not change then.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "liif")
        >>> tfsr.rendering.ImplicitRenderer(model, memory=2**30).lr_pixels > 10_000
        True
    """

    def __init__(self, model: Any, memory: int, cache: bool = False) -> None:
        self.decoder = model.decoder
        self.halo = model.halo
        self.size_multiple = model.encoder.size_multiple
        self.cache = memory // 4 if cache else 0
        self._cached: dict[Any, Any] = {}
        self._cached_bytes, self._cache_left = 0, self.cache
        self._cached_for: Any = None
        self._tail: tuple[tuple[int, int], tuple[Any, ...]] | None = None
        cost = memory_cost(model)
        self.bytes_per_lr_pixel, self.modulation_bytes = cost.lr_pixel, cost.modulation
        self.lr_pixels = memory // 2 // self.bytes_per_lr_pixel
        self._queries = query_budget(self.decoder, cost, memory // 4)
        self._compile(model)

    def _compile(self, model: Any) -> None:
        decoder = self.decoder

        def maps(image, coordinates):
            return project(decoder, model.encode(image, coordinates=coordinates))

        def cell_maps(projected, row_cell, column_cell):
            cells = [ops.reshape(cell, (1, 1, 1, 1)) for cell in (row_cell, column_cell)]
            return decoder.project_cell(projected, *cells)

        def band(projected, image, rows, columns, modulation):
            plan = SamplingPlan(Axis(*rows), Axis(*columns), (0, 0))
            return denormalize(render_band(decoder, projected, image, plan, modulation))

        def phase(projected, image, rows, columns, modulation):
            row_phase, column_phase = (
                Phase(Axis(*axis), *starts) for axis, *starts in (rows, columns)
            )
            samples = sample_phase(decoder, projected, image, row_phase, [column_phase], modulation)
            return denormalize(blend(decoder, samples))

        def sub_pixels(image, coordinates, tail):
            features, normalised = model.encode_parts(image, coordinates=coordinates)
            return denormalize(apply_tail(decoder, features, normalised, Tail(*tail)))

        def modulation(rows, columns):
            return decoder.modulation(*broadcastable(Axis(*rows), Axis(*columns)))

        def padded(projected, image):
            return pad_edges(decoder, projected, image)

        self._maps = jit(maps, model, (MAP, AXIS))
        self._cell_maps = jit(cell_maps, model, (MAP, STATIC, STATIC))
        self._padded = jit(padded, model, (MAP, MAP))
        self._band = jit(band, model, (MAP, MAP, AXIS, AXIS, MAP))
        # One or two neighbours change the graph, so each case is compiled separately.
        self._phase = {
            counts: jit(phase, model, (MAP, MAP, _PHASE, _PHASE, MAP))
            for counts in product((1, 2), repeat=2)
        }
        self._sub_pixels = jit(sub_pixels, model, (MAP, AXIS, STATIC))
        self._modulation = jit(modulation, model, (AXIS, AXIS))

    def input_span(self, lr: int, hr: int, start: int, stop: int) -> tuple[int, int]:
        """As `Renderer.input_span`: the neighbours, and what their maps depend on."""
        first, last = grid_axis(lr, hr, start, stop, self.decoder.neighbour_mode).span()
        # Up to size_multiple - 1 more pixels: `align` crops them.
        return max(0, first - self.halo - self.size_multiple + 1), min(lr, last + self.halo)

    def render(self, image, tile: Tile) -> Iterator[BatchPatch]:
        """As `Renderer.render`."""
        whole = tile.rows == (0, tile.size[0]) and tile.columns == (0, tile.size[1])
        # Caching between the tiles of an image would fragment memory.
        self._cache_left = self.cache if whole else 0
        if not whole or (tile.lr_size, tile.size) != self._cached_for:
            self._cached.clear()
            self._cached_bytes = 0
            self._cached_for = (tile.lr_size, tile.size)
        image, tile = align(image, tile, self.size_multiple)
        return self.render_image(image, tile.plan(self.decoder.neighbour_mode))

    def render_image(self, image, plan: SamplingPlan) -> Iterator[BatchPatch]:
        """Render images (batch, h, w, 3) in [0, 1] over a plan of NumPy arrays."""
        image = ops.convert_to_tensor(image, "float32")
        chosen = schedule(plan, self.decoder, self._queries // len(image))
        if chosen.kind == "convolution":
            return self._convolution(image, plan, chosen)
        return self._patches(self._maps(image, self._coordinates(plan)), plan, chosen)

    def render_maps(self, maps: tuple[Any, Any], plan: SamplingPlan) -> Iterator[BatchPatch]:
        """Render encoded images: `maps` is from `project`, for any output size."""
        batch = tree.flatten(maps[0])[0].shape[0]
        chosen = schedule(plan, self.decoder, self._queries // batch, convolution=False)
        return self._patches(maps, plan, chosen)

    def _patches(self, maps, plan: SamplingPlan, chosen: Schedule) -> Iterator[BatchPatch]:
        projected, image = maps
        if self.decoder.has_cell_projection:
            cells = [axis.cells[0] for axis in (plan.rows, plan.columns)]
            projected = self._cell_maps(projected, *_tensors(cells))
        if chosen.phases is None:
            yield from self._bands(projected, image, plan, chosen)
            return
        projected, image = self._padded(projected, image)
        for band in chosen.bands:
            yield from self._phases(projected, image, band, *chosen.phases)

    def _bands(
        self, projected, image, plan: SamplingPlan, chosen: Schedule
    ) -> Iterator[BatchPatch]:
        columns = _tensors(plan.columns.arrays())
        for span in chosen.bands:
            band = plan.rows[span]
            rows = _tensors(band.arrays())
            modulation = self._modulation_of(band, plan.columns, rows, columns)
            colours = self._band(projected, image, rows, columns, modulation)
            yield span, slice(0, len(plan.columns)), ops.convert_to_numpy(colours)

    def _phases(
        self, projected, image, span: slice, rows: list[Phase], columns: list[Phase]
    ) -> Iterator[BatchPatch]:
        """All phases of a band of LR rows."""
        start = span.start
        bands = [phase[start : span.stop] for phase in rows if start < len(phase.axis)]
        if not edge_padding(self.decoder):
            # Neighbours are the map itself: only this band's rows of it are passed on.
            top = min(int(band.starts[0]) for band in bands)
            bottom = max(int(band.starts[0]) + len(band.axis) for band in bands)
            projected = tree.map_structure(lambda x: x[:, top:bottom], projected)
            bands = [band.shift(top) for band in bands]
        column_tensors = [_phase_tensors(phase) for phase in columns]
        for i, band in enumerate(bands):
            row_tensors = _phase_tensors(band)
            first = i + start * len(rows)
            output_rows = slice(first, first + (len(band.axis) - 1) * len(rows) + 1, len(rows))
            for j, phase in enumerate(columns):
                tensors = row_tensors[0], column_tensors[j][0]
                modulation = self._modulation_of(band.axis, phase.axis, *tensors)
                render = self._phase[len(band.starts), len(phase.starts)]
                colours = render(projected, image, row_tensors, column_tensors[j], modulation)
                last = j + (len(phase.axis) - 1) * len(columns)
                yield output_rows, slice(j, last + 1, len(columns)), ops.convert_to_numpy(colours)

    def _convolution(self, image, plan: SamplingPlan, chosen: Schedule) -> Iterator[BatchPatch]:
        scales = chosen.scales or (1, 1)
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
        """A tail's tensors; the last one is cached where weights do not change."""
        cached = self._tail
        if cached is None or cached[0] != scales or not self.cache:
            cached = scales, _tensors(make_tail(self.decoder, scales).tensors())
            self._tail = cached if self.cache else None
        return cached[1]

    def _coordinates(self, plan: SamplingPlan) -> tuple[Any, ...] | None:
        """Coordinates of the LR pixels in the whole image, where the latent depends on them."""
        return _tensors(plan.lr_coordinates()) if self.decoder.latent_coordinates else None

    def _modulation_of(self, rows: Axis, columns: Axis, row_tensors, column_tensors) -> Any:
        """The cached modulation of these queries, cached now if it fits; None if it does not."""
        key = tuple((*axis.coordinates[[0, -1]].tolist(), len(axis)) for axis in (rows, columns))
        if key not in self._cached:
            size = self.modulation_bytes * len(rows) * len(columns)
            if not size or self._cached_bytes + size > self._cache_left:
                return None
            self._cached[key] = self._modulation(row_tensors, column_tensors)
            self._cached_bytes += size
        return self._cached[key]


def _tensors(arrays: Any) -> tuple[Any, ...]:
    return tuple(None if x is None else ops.convert_to_tensor(x) for x in arrays)


def _phase_tensors(phase: Phase) -> tuple[Any, Any, Any]:
    return _tensors(phase.axis.arrays()), *_tensors((phase.starts, phase.pair_starts))
