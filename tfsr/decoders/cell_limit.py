"""The smallest cell that a decoder is given, from the largest scale it was trained for."""

from __future__ import annotations

import math

from keras import ops

from tfsr.errors import InvalidArgument


def check_max_scale(max_scale: float | None) -> float | None:
    """The value itself, if it is None or a positive number.

    Raises:
        InvalidArgument: if it is not.
    """
    if max_scale is not None and not (max_scale > 0 and math.isfinite(max_scale)):
        raise InvalidArgument(f"max_scale must be a positive number or None; received {max_scale}")
    return max_scale


def clamp_cell(cell, max_scale: float | None):
    """Limit a cell, in units where an LR pixel is 2 wide, to at least that of `max_scale`.

    The authors of LTE (arXiv 2111.08918) and LMF (arXiv 2404.16451) evaluate so: their published
    code multiplies the cell by max(scale / 4, 1).
    """
    return cell if max_scale is None else ops.maximum(cell, 2 / max_scale)
