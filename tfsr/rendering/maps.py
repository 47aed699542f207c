"""Convert images to latents, and latents to the maps that samplers read."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.decoders import Decoder
from tfsr.geometry import SamplingPlan


def join_latent(decoder: Decoder, features, image):
    """Concatenate a latent's features and, where there is a skip, the input in [-1, 1]: float32."""
    parts = [features, image] if decoder.input_skip else [features]
    return ops.concatenate([ops.cast(part, "float32") for part in parts], axis=-1)


def split_latent(decoder: Decoder, latent) -> tuple[Any, Any]:
    """Undo `join_latent`: features, and input or None."""
    return (latent[..., :-3], latent[..., -3:]) if decoder.input_skip else (latent, None)


def project(decoder: Decoder, latent, plan: SamplingPlan | None = None) -> tuple[Any, Any]:
    """Project a latent: the decoder's maps, each (batch, h, w, n), and the input or None.

    Args:
        decoder: the decoder.
        latent: (batch, h, w, channels) from `join_latent`.
        plan: of the grid to render; None: maps for any output size, before `project_cell`.
    """
    features, image = split_latent(decoder, latent)
    projected = decoder.project(ops.cast(features, decoder.compute_dtype))
    if plan is not None and decoder.has_cell_projection:
        cells = [ops.reshape(axis.cells[0], (1, 1, 1, 1)) for axis in (plan.rows, plan.columns)]
        projected = decoder.project_cell(projected, *cells)
    return projected, image


def normalize(image):
    """Map [0, 1] to [-1, 1], in float32: the range inside models and in published weights."""
    # The name makes an exporter keep it in float32.
    with keras.name_scope("normalized"):
        return 2.0 * ops.cast(image, "float32") - 1.0


def denormalize(colours):
    """Map [-1, 1] to [0, 1]."""
    return 0.5 * colours + 0.5
