"""From samples to colours: the blend of LR neighbours, the skip and the mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from tfsr.decoders import Decoder
from tfsr.geometry import Axis
from tfsr.rendering.samplers import Samples


def blend(decoder: Decoder, samples: Samples) -> Any:
    """Compute the colours of all queries, (..., 3) float32 in [-1, 1].

    Args:
        decoder: the decoder.
        samples: from one of the samplers.

    Example:
        >>> decoder = tfsr.ImplicitSR("edsr-baseline", "liif").decoder
        >>> latent = np.zeros((1, 4, 4, 64), np.float32)
        >>> plan = tfsr.geometry.grid_plan((4, 4), (6, 6))
        >>> tfsr.rendering.render_grid(decoder, latent, plan).shape
        TensorShape([1, 6, 6, 3])
    """
    rows, columns = samples.rows, samples.columns
    colours = decoder.blend(samples.features, rows, columns, samples.modulation)
    if decoder.input_skip:
        row_weights, column_weights = (
            [weights[..., i : i + 1] for i in range(2)]
            for weights in (skip_weights(decoder, rows), skip_weights(decoder, columns))
        )
        for i in range(2):
            partial = sum(column_weights[j] * samples.pixels(i, j) for j in range(2))
            colours += row_weights[i] * partial
    return add_mean(decoder, colours)


def skip_weights(decoder: Decoder, axis: Axis):
    """Weights (..., 2) of the pair of LR pixels that the skip interpolates."""
    if not decoder.nearest_skip:
        return axis.pair_weights
    if decoder.local_ensemble:
        after = ops.cast(axis.pair_weights[..., 1] > 0.5, "float32")
    else:
        # A tie has been decided by the neighbour that was found.
        after = ops.cast(axis.pair_indices[..., 0] != axis.indices[..., 0], "float32")
    return ops.stack([1.0 - after, after], axis=-1)


def mean_colour(decoder: Decoder) -> np.ndarray:
    """The decoder's mean as it is added in [-1, 1]."""
    return 2 * np.array(decoder.mean, np.float32)


def add_mean(decoder: Decoder, colours):
    """Add the decoder's mean colour, if it has one."""
    return colours + mean_colour(decoder) if any(decoder.mean) else colours
