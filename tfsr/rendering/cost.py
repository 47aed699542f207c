"""Multiply-adds, counted from a model's layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfsr.decoders import LinearDecoder
from tfsr.decoders.layer_cost import kernel_size
from tfsr.rendering.linear_tail import make_tail
from tfsr.rendering.schedule import MAX_SUB_PIXELS


@dataclass(frozen=True)
class MultiplyAdds:
    """Multiply-adds of one image; biases and the functions between layers are left out.

    Attributes:
        encoder: of the encoder, folded.
        published: of the decoder as its authors run it: every layer for every query, and for every
            neighbour of it.
        as_run: of the decoder as tfsr runs it: once for each LR pixel, query, row or column where
            no more is needed.

    Example:
        >>> tfsr.rendering.MultiplyAdds(encoder=10, published=40, as_run=4).as_run
        4
    """

    encoder: int
    published: int
    as_run: int


def multiply_adds(model: Any, lr_size: Sequence[int], size: Sequence[int]) -> MultiplyAdds:
    """Count the multiply-adds of upscaling an (h, w) image to (H, W) with an `ImplicitSR`.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "liif")
        >>> cost = tfsr.rendering.multiply_adds(model, (64, 64), (256, 256))
        >>> cost.published > 1.5 * cost.as_run
        True
    """
    decoder = model.decoder
    encoder = kernel_size(model.encoder.fold()) * math.prod(lr_size)
    neighbours = math.prod(size) * (4 if decoder.local_ensemble else 1)
    times = {
        "pixel": math.prod(lr_size),
        "query": math.prod(size),
        "neighbour": neighbours,
        "row": size[0],
        "column": size[1],
    }
    published = as_run = 0
    for cost in decoder.layer_costs():
        published += cost.multiply_adds * times[cost.published]
        as_run += int(cost.multiply_adds * cost.share) * times[cost.per]
    if isinstance(decoder, LinearDecoder):
        of_basis = _linear(decoder, lr_size, size, times)
        published, as_run = published + of_basis[0], as_run + of_basis[1]
    return MultiplyAdds(encoder, published, as_run)


def _linear(
    decoder: LinearDecoder, lr_size: Sequence[int], size: Sequence[int], times: dict[str, int]
) -> tuple[int, int]:
    """Of the last layer and the basis: as the authors run them, and as tfsr runs them."""
    basis, last = decoder.basis_layer, decoder.last_layer
    of_last = 0 if last is None else kernel_size(last)
    learned = decoder.basis_costs()
    published = sum(cost.multiply_adds * times[cost.published] for cost in learned)
    if basis.separable:
        published += of_last * times["pixel"] + basis.coefficients * times["neighbour"]
    else:
        # Meta-SR predicts a filter for every query.
        published += of_last * times["neighbour"]

    scales = [hr // lr for hr, lr in zip(size, lr_size, strict=True)]
    integer = all(hr == s * lr for hr, s, lr in zip(size, scales, lr_size, strict=True))
    if integer and math.prod(scales) <= MAX_SUB_PIXELS:
        tail = make_tail(decoder, (scales[0], scales[1]))
        kernels = [kernel for kernel in (tail.kernel, tail.skip) if kernel is not None]
        as_run = sum(math.prod(kernel.shape) for kernel in kernels)
        return published, times["pixel"] * (as_run + (0 if decoder.merges_last_layer else of_last))
    as_run = of_last * times["pixel"]
    if basis.separable:
        of_axis = 2 if decoder.local_ensemble else 1
        as_run += of_axis * basis.coefficients * size[0] * lr_size[1]
        return published, as_run + of_axis * len(basis.column_colours) * times["query"]
    as_run += sum(cost.multiply_adds * times[cost.per] for cost in learned)
    return published, as_run + basis.coefficients * times["neighbour"]
