"""Training losses on images in [0, 1], by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfsr.errors import InvalidArgument
from tfsr.losses.fourier import Fourier
from tfsr.losses.loss import Loss
from tfsr.losses.pixels import L1, L2, Charbonnier
from tfsr.losses.weighted_sum import WeightedSum, check_weight
from tfsr.registry import Registry

__all__ = ["L1", "L2", "LOSSES", "Charbonnier", "Fourier", "Loss", "WeightedSum", "from_config"]

LOSSES = Registry("loss")
"""Losses by name: "charbonnier", "fft", "l1", "l2"."""

LOSSES.add("charbonnier", Charbonnier)
LOSSES.add("fft", Fourier)
LOSSES.add("l1", L1)
LOSSES.add("l2", L2)


def from_config(config: Any) -> Loss:
    """Build the loss that plain data describes.

    Args:
        config: a name of `LOSSES`; a mapping of "name", the loss's arguments and perhaps "weight"
            (above 0, 1 if not given); or a list of such, whose weighted sum is meant.

    Raises:
        InvalidArgument: a name or an argument is unknown (the nearest known one is named), has an
            impossible value, a weight is not above 0, or the list is empty.

    Example:
        >>> loss = from_config([{"name": "charbonnier"}, {"name": "fft", "weight": 0.05}])
    """
    several = isinstance(config, Sequence) and not isinstance(config, str)
    terms = [_term(term) for term in (config if several else [config])]
    if not terms:
        raise InvalidArgument("a list of losses must name at least one; received none")
    losses, weights = zip(*terms, strict=True)
    return losses[0] if weights == (1.0,) else WeightedSum(losses, weights)


def _term(config: Any) -> tuple[Loss, float]:
    """A loss and its weight."""
    if not isinstance(config, Mapping):
        return LOSSES.build(config), 1.0
    arguments = dict(config)
    weight = check_weight(arguments.pop("weight", 1.0))
    return LOSSES.build(arguments), weight
