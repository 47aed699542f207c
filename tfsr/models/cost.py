"""Multiply-adds, counted from a model's own weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfsr.decoders import LMLTE, Decoder, LinearDecoder
from tfsr.decoders.linear import MAX_SUB_PIXELS
from tfsr.models.implicit_sr import ImplicitSR


@dataclass(frozen=True)
class MultiplyAdds:
    """Multiply-adds of one image; biases and the functions between layers are left out.

    Attributes:
        encoder: of the encoder, folded.
        published: of the decoder as its authors run it: every layer for every query, and for every
            neighbour of it.
        here: of the decoder as it runs here: what depends on the LR pixel or on the query alone is
            done once for each, and what depends on a row or a column once for that.
    """

    encoder: int
    published: int
    here: int


def multiply_adds(model: ImplicitSR, lr_size: Sequence[int], size: Sequence[int]) -> MultiplyAdds:
    """Count the multiply-adds of upscaling an (h, w) image to (H, W)."""
    lr_pixels, num_points = lr_size[0] * lr_size[1], size[0] * size[1]
    decoder: Decoder = model.decoder
    encoder = sum(matrix for _, matrix in _matrices(model.encoder.fold())) * lr_pixels
    if isinstance(decoder, LinearDecoder):
        return MultiplyAdds(encoder, *_linear(decoder, lr_size, size))
    neighbours = num_points * (4 if decoder.local_ensemble else 1)
    published = here = 0
    for path, matrix in _matrices(decoder):
        if "/projection" in path:  # Published as a layer on unfolded features.
            published += matrix * neighbours
            here += matrix * lr_pixels
        elif "/latent_" in path:  # LMF's latent network.
            published += matrix * lr_pixels
            # It sees the sum of LTE's two frequencies, made by one convolution here.
            halved = isinstance(decoder, LMLTE) and "/latent_frequency" in path
            here += matrix * lr_pixels // (2 if halved else 1)
        elif "/code/" in path:  # A part of the render network's first layer.
            published += matrix * neighbours
            here += matrix * lr_pixels
        elif path.endswith("row_kernel"):
            published += matrix * neighbours
            here += matrix * size[0]
        elif path.endswith("column_kernel"):
            published += matrix * neighbours
            here += matrix * size[1]
        elif "/coordinate_" in path:  # ARASFSR's branch of sines.
            published += matrix * neighbours
            here += matrix * num_points
        elif "conv" in path or path.split("/")[-2] in ("amplitude", "frequency"):
            published += matrix * lr_pixels
            here += matrix * lr_pixels
        else:
            published += matrix * neighbours
            here += matrix * neighbours
    return MultiplyAdds(encoder, published, here)


def _linear(decoder: LinearDecoder, lr_size: Sequence[int], size: Sequence[int]) -> tuple[int, int]:
    """Of a linear decoder: as its authors run it, and as it runs here."""
    lr_pixels, num_points = math.prod(lr_size), math.prod(size)
    neighbours = num_points * (4 if decoder.local_ensemble else 1)
    basis, last = decoder.basis_layer, decoder.last_layer
    of_last = 0 if last is None else math.prod(last.kernel.shape)
    of_latent = sum(
        math.prod(weight.shape)
        for weight in decoder.weights
        if len(weight.shape) == 4 and (last is None or weight is not last.kernel)
    )
    published = here = of_latent * lr_pixels
    if basis.separable:
        published += of_last * lr_pixels + basis.coefficients * neighbours
    else:
        # Meta-SR predicts a filter for every query.
        published += of_last * neighbours
        learned = [(path, n) for path, n in _matrices(decoder) if "/basis/" in path]
        published += sum(n for _, n in learned) * neighbours

    scales = [hr // lr for hr, lr in zip(size, lr_size, strict=True)]
    integer = all(hr == s * lr for hr, s, lr in zip(size, scales, lr_size, strict=True))
    if integer and math.prod(scales) <= MAX_SUB_PIXELS:
        tail = decoder.tail((scales[0], scales[1]))
        kernels = [kernel for kernel in (tail.kernel, tail.skip) if kernel is not None]
        here += sum(math.prod(kernel.shape) for kernel in kernels) * lr_pixels
        return published, here + (0 if decoder.merges_last_layer else of_last * lr_pixels)
    here += of_last * lr_pixels
    neighbours_of_axis = 2 if decoder.local_ensemble else 1
    if basis.separable:
        here += neighbours_of_axis * basis.coefficients * size[0] * lr_size[1]
        return published, here + neighbours_of_axis * len(basis.column_colours) * num_points
    for path, n in learned:
        axis = {"row_kernel": size[0], "column_kernel": size[1]}
        here += n * axis.get(path.split("/")[-1], num_points)
    return published, here + basis.coefficients * neighbours


def _matrices(layer) -> list[tuple[str, int]]:
    """Path and multiply-adds at one position of every weight that multiplies: biases do not."""
    weights = [weight for weight in layer.weights if len(weight.shape) > 1]
    return [(weight.path, math.prod(weight.shape)) for weight in weights]
