"""Coordinates of pixel centres, and output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from operator import index
from typing import Any

import numpy as np

from tfsr.errors import InvalidArgument


def pixel_centres(size: int) -> np.ndarray:
    """Coordinates of the pixel centres of an axis of `size` pixels, (size,) float32 in [-1, 1].

    Bit-identical to the published code: double constants, float32 arithmetic.

    Example:
        >>> tfsr.geometry.pixel_centres(4).tolist()
        [-0.75, -0.25, 0.25, 0.75]
    """
    return centres(np.arange(size, dtype=np.float32), np.float32(size))


def centres(pixels, size):
    """Centres of the given pixels on an axis of `size` pixels, all float32."""
    return first_centre(size) + (2.0 / size) * pixels


def first_centre(size):
    """-1 + 1 / size in float32.

    The published code rounds constants from doubles. Up to sizes of 2^24 a float32 quotient of
    integers is the same number: the exact one is never close enough to the middle between two
    float32 numbers for the double's rounding to matter.
    """
    return (1.0 - size) / size


def cell_size(size: int) -> float:
    """Height (or width) of one of `size` pixels: 2 / size.

    Example:
        >>> tfsr.geometry.cell_size(8)
        0.25
    """
    return 2.0 / size


def output_size(lr_size: Sequence[int], scale: float) -> tuple[int, int]:
    """(H, W) of an (h, w) image at `scale`, each rounded to the nearest pixel, at least 1.

    Raises:
        InvalidArgument: if the scale is not a finite number above 0.

    Example:
        >>> tfsr.geometry.output_size((12, 17), 3.7)
        (44, 63)
    """
    if not isinstance(scale, Real) or not 0 < float(scale) < np.inf:
        raise InvalidArgument(
            f"must be a finite number above 0, for example 3.7; received {scale!r}",
            argument="scale",
        )
    height, width = (max(1, int(np.floor(n * scale + 0.5))) for n in lr_size)
    return height, width


def check_integers(argument: str, values: Any, count: int) -> tuple[int, ...]:
    """`values` as a tuple of `count` integers.

    Raises:
        InvalidArgument: if they are not `count` integers.
    """
    try:
        numbers = tuple(index(value) for value in values)
    except TypeError:
        numbers = ()
    if len(numbers) != count:
        raise InvalidArgument(f"must be {count} integers; received {values!r}", argument=argument)
    return numbers
