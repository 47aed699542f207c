"""Rendering unrolled: one graph of fixed size, as TFLite delegates take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.decoders import Decoder, LinearDecoder
from tfsr.errors import InvalidArgument
from tfsr.geometry import Axis, Phase, SamplingPlan, concat_axes
from tfsr.rendering.blending import blend
from tfsr.rendering.linear_tail import Tail, apply_tail, make_tail, pixel_shuffle
from tfsr.rendering.maps import denormalize, project, split_latent
from tfsr.rendering.queries import render_band
from tfsr.rendering.samplers import broadcastable, pad_edges, sample_phase
from tfsr.rendering.schedule import bands, schedule


def unroll(
    model: Any,
    lr_size: tuple[int, int],
    size: tuple[int, int],
    budget: int,
    gather_free: bool = True,
) -> Callable[[Any], Any]:
    """Make a function of (batch, h, w, 3) in [0, 1] to (batch, H, W, 3), clipped to [0, 1].

    At integer scales it is one convolution, of a linear decoder, or phases, and gathers nothing; at
    others, bands of rows with one gather an axis.

    Args:
        model: an `ImplicitSR`.
        lr_size: (h, w).
        size: (H, W).
        budget: queries decoded together.
        gather_free: whether gathers are avoided wherever that is possible, by a larger graph.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "thera")
        >>> upscale = tfsr.rendering.unroll(model, (4, 5), (8, 10), budget=8192)
        >>> upscale(np.zeros((1, 4, 5, 3), np.float32)).shape
        TensorShape([1, 8, 10, 3])
    """
    plan = model.plan(lr_size, size)
    decoder = model.decoder
    chosen = schedule(plan, decoder, budget, gather_free)
    if chosen.kind == "convolution":
        return unroll_convolution(model, chosen.scales)

    def upscale(image):
        latent = model.encode(image)
        # The converter folds everything that does not depend on the input: row and column terms at
        # a layer's width, and the modulation pixel by pixel. Adding this zero to the coordinates
        # prevents it.
        zero = ops.minimum(ops.square(image[:1, :1, :1, :1]), 0.0)
        if chosen.phases:
            return _to_image(render_phases(decoder, latent, plan, chosen.phases, budget, zero))
        projected, pixels = project(decoder, latent, plan)
        columns = _prevent_folding(plan.columns, zero)
        parts = []
        for band in chosen.bands:
            part = SamplingPlan(_prevent_folding(plan.rows[band], zero), columns, plan.lr_size)
            modulation = decoder.modulation(*broadcastable(part.rows, part.columns))
            parts.append(render_band(decoder, projected, pixels, part, modulation))
        return _to_image(ops.concatenate(parts, axis=1))

    return upscale


def unroll_convolution(model: Any, scales: Any) -> Callable[[Any], Any]:
    """Make a function of (batch, h, w, 3) of any size to (batch, s h, t w, 3), as `unroll` does.

    Args:
        model: an `ImplicitSR` with a linear decoder.
        scales: the integer scales s (rows) and t (columns).

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "thera")
        >>> upscale = tfsr.rendering.unroll_convolution(model, (2, 2))
        >>> upscale(np.zeros((1, 4, 5, 3), np.float32)).shape
        TensorShape([1, 8, 10, 3])
    """
    # Its kernels are constants of the file.
    arrays = make_tail(model.decoder, scales).tensors()
    tail = Tail(*(None if x is None else np.array(x) for x in arrays))

    def upscale(image):
        features, normalised = model.encode_parts(image)
        colours = apply_tail(model.decoder, features, normalised, tail)
        return _to_image(pixel_shuffle(colours, *scales))

    return upscale


def render_integer_scale(decoder: Decoder, latent, plan: SamplingPlan):
    """Render a whole image at integer scales without a gather.

    Args:
        decoder: the decoder.
        latent: (batch, h, w, channels).
        plan: of the whole image, with NumPy arrays.

    Returns:
        (batch, s h, t w, 3) float32 in [-1, 1].

    Raises:
        InvalidArgument: for other scales.

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "liif").decoder
        >>> plan = tfsr.geometry.grid_plan((4, 4), (8, 12))
        >>> latent = np.zeros((1, 4, 4, 64), np.float32)
        >>> tfsr.rendering.render_integer_scale(decoder, latent, plan).shape
        TensorShape([1, 8, 12, 3])
    """
    budget = len(plan.rows) * len(plan.columns)
    chosen = schedule(plan, decoder, budget, gather_free=True)
    if chosen.kind == "convolution" and isinstance(decoder, LinearDecoder):
        scales = chosen.scales or (1, 1)
        features, image = split_latent(decoder, latent)
        colours = apply_tail(decoder, features, image, make_tail(decoder, scales))
        return pixel_shuffle(colours, *scales)
    if chosen.phases is None:
        raise InvalidArgument(
            f"must have integer scales; received {plan.lr_size} to "
            f"{(len(plan.rows), len(plan.columns))}",
            "plan",
        )
    return render_phases(decoder, latent, plan, chosen.phases, budget)


def render_phases(
    decoder: Decoder,
    latent,
    plan: SamplingPlan,
    phases: tuple[list[Phase], list[Phase]],
    budget: int,
    anchor: Any = None,
):
    """Render a whole image phase by phase; `anchor`: a zero that depends on the input."""
    rows, columns = phases
    projected, image = pad_edges(decoder, *project(decoder, latent, plan))
    # Phases of one neighbour, which odd scales have, and of two are rendered apart.
    groups = [
        [i for i, phase in enumerate(columns) if len(phase.starts) == count] for count in (1, 2)
    ]
    parts = {}
    for group in filter(None, groups):
        chosen = [
            replace(x, axis=_prevent_folding(x.axis, anchor)) for x in (columns[i] for i in group)
        ]
        for i, row in enumerate(rows):
            colours = _phase_rows(decoder, projected, image, row, chosen, budget, anchor)
            # WebGPU delegates abort at a split into one.
            split = [colours] if len(group) == 1 else ops.split(colours, len(group), axis=2)
            parts.update({(i, j): part for j, part in zip(group, split, strict=True)})
    ordered = [parts[i, j] for i, j in product(range(len(rows)), range(len(columns)))]
    return pixel_shuffle(ops.concatenate(ordered, axis=-1), len(rows), len(columns))


def _phase_rows(decoder, projected, image, rows: Phase, columns: list[Phase], budget, anchor):
    axis = concat_axes([phase.axis for phase in columns])
    parts = []
    for span in bands(len(rows.axis), axis.coordinates.shape[0], budget):
        band = rows[span]
        band = replace(band, axis=_prevent_folding(band.axis, anchor))
        modulation = decoder.modulation(*broadcastable(band.axis, axis))
        samples = sample_phase(decoder, projected, image, band, columns, modulation)
        parts.append(blend(decoder, samples))
    return ops.concatenate(parts, axis=1)


def _to_image(colours):
    """Colours in [-1, 1] as those of an image, clipped to [0, 1]."""
    with keras.name_scope("output"):
        return ops.clip(denormalize(colours), 0.0, 1.0)


def _prevent_folding(axis: Axis, zero) -> Axis:
    """Make an axis depend on the input, so that a converter does not fold it.

    The zero is added with all axes of an image: of fewer, WebGPU delegates add to the first value
    alone.
    """
    if zero is None:
        return axis

    def shifted(values):
        wide = ops.convert_to_tensor(values.reshape(1, len(values), 1, -1)) + zero
        return ops.reshape(wide, values.shape)

    return replace(
        axis.map(ops.convert_to_tensor),
        coordinates=shifted(axis.coordinates),
        offsets=shifted(axis.offsets),
    )
