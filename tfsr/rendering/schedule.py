"""The order in which a grid is rendered: one convolution, phases, or bands of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tfsr.decoders import Decoder, LinearDecoder
from tfsr.geometry import Phase, SamplingPlan

MAX_SUB_PIXELS = 64
"""The most sub-pixels of an LR pixel for which one convolution is faster than bands of rows."""


@dataclass(frozen=True)
class Schedule:
    """How a grid is rendered.

    Attributes:
        kind: "convolution", where a linear decoder makes all sub-pixels at once; "phases", every
            s-th row and column of an integer scale, by slices; "bands" of rows, by gathers.
        bands: the rows rendered together: of the grid, or of its first phase.
        scales: the integer scales of rows and columns; None at other scales.
        phases: of the rows and of the columns, if `kind` is "phases".
    """

    kind: Literal["convolution", "phases", "bands"]
    bands: list[slice]
    scales: tuple[int, int] | None = None
    phases: tuple[list[Phase], list[Phase]] | None = None


def schedule(
    plan: SamplingPlan,
    decoder: Decoder,
    budget: int,
    gather_free: bool = False,
    convolution: bool = True,
) -> Schedule:
    """Choose how a grid is rendered.

    Args:
        plan: of the grid, with NumPy arrays.
        decoder: the decoder.
        budget: queries decoded together; at least one row is always rendered.
        gather_free: whether gathers are avoided wherever that is possible, fast or not.
        convolution: whether a linear decoder may take the latent itself, not its maps.

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "thera").decoder
        >>> plan = tfsr.geometry.grid_plan((8, 8), (16, 16), neighbour_mode="nearest-centred")
        >>> tfsr.rendering.schedule(plan, decoder, budget=100).kind
        'convolution'
    """
    scales = plan.integer_scales()
    if scales and convolution and isinstance(decoder, LinearDecoder):
        if gather_free or math.prod(scales) <= MAX_SUB_PIXELS:
            return Schedule("convolution", [slice(0, len(plan.rows))], scales)
    # Phases skip neighbours of weight 0, which odd scales have, and need no gather. Otherwise bands
    # are faster with more than one neighbour, as they compute row terms less often.
    weightless = decoder.blends_by_weight and any(scale % 2 for scale in scales or ())
    if scales and (gather_free or not decoder.local_ensemble or weightless):
        phases = plan.phases(all_neighbours=not decoder.blends_by_weight)
        if phases is not None:
            rows, columns = (axis[0].axis for axis in phases)
            return Schedule("phases", bands(len(rows), len(columns), budget), scales, phases)
    return Schedule("bands", bands(len(plan.rows), len(plan.columns), budget), scales)


def bands(height: int, width: int, budget: int) -> list[slice]:
    """Split rows of `width` queries into bands of at most `budget` queries, or of one row."""
    count = max(1, budget // width)
    return [slice(start, min(start + count, height)) for start in range(0, height, count)]
