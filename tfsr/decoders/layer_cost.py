"""How often a decoder's layers run, for counting multiply-adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import keras

Unit = Literal["pixel", "query", "neighbour", "row", "column"]
"""Once per LR pixel, query, LR neighbour of a query, output row or output column."""


@dataclass(frozen=True)
class LayerCost:
    """Layers that run equally often.

    Attributes:
        layers: layers, or kernels of them.
        per: how often they run in tfsr.
        published: how often they run in the authors' code.
        share: part of their multiply-adds that tfsr needs.
    """

    layers: tuple[Any, ...]
    per: Unit
    published: Unit
    share: float = 1.0

    @property
    def multiply_adds(self) -> int:
        """Of all layers, run once."""
        return sum(kernel_size(layer) for layer in self.layers)


def kernel_size(layer: Any) -> int:
    """Multiply-adds of a layer, or of a kernel, at one position."""
    if isinstance(layer, keras.Variable):
        return math.prod(layer.shape)
    own = [
        getattr(part, name)
        for part in layer._flatten_layers()
        for name in ("kernel", "row_kernel", "column_kernel")
        if isinstance(getattr(part, name, None), keras.Variable)
    ]
    return sum(math.prod(kernel.shape) for kernel in own)


def separable_costs(*layers: Any, published: Unit = "neighbour") -> list[LayerCost]:
    """Costs of `SeparableDense` layers: per row and per column."""
    return [
        LayerCost(tuple(layer.row_kernel for layer in layers), "row", published),
        LayerCost(tuple(layer.column_kernel for layer in layers), "column", published),
    ]
