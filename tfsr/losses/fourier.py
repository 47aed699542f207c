"""A loss of frequencies."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.losses.loss import Loss, difference


@keras.saving.register_keras_serializable("tfsr")
class Fourier(Loss):
    """L1 distance of two patches' spectra: the mean of |Re| and |Im| of `rfft2(d)`.

    The transform is orthonormal (divided by sqrt(H W)), so that the loss of a given error is the
    same on patches of every size. Published losses are not: they grow with the side of the patch.
    A published weight, times the side of the patches it was used on, is the weight here.

    Computed in float32 whatever the dtype policy.

    Args:
        **kwargs: `reduction` and `name` of `keras.losses.Loss`.

    Call arguments:
        y_true: (B, H, W, C) target patches in [0, 1], of consecutive rows and columns.
        y_pred: (B, H, W, C) predicted patches, unclipped.

    Raises:
        InvalidArgument: the predictions have other than four axes.

    Example:
        >>> loss = tfsr.losses.from_config([{"name": "l1"}, {"name": "fft", "weight": 0.1}])

    Reference:
        Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring" (MIMO-UNet),
        section 3.4, https://arxiv.org/abs/2108.05054
    """

    needs_patch = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "fft", **kwargs})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each patch, (B,)."""
        if len(y_pred.shape) != 4:
            raise InvalidArgument(
                f"the loss fft takes patches (batch, height, width, channels); received "
                f"{tuple(y_pred.shape)}"
            )
        # (B, C, H, W): transforms run along the last axis.
        patches = ops.transpose(difference(y_true, y_pred), (0, 3, 1, 2))
        real, imaginary = ops.rfft(patches)
        real, imaginary = ops.fft(tuple(ops.swapaxes(x, -1, -2) for x in (real, imaginary)))
        height, width = (ops.cast(ops.shape(patches)[axis], "float32") for axis in (2, 3))
        mean = ops.mean(ops.abs(real) + ops.abs(imaginary), axis=(1, 2, 3)) / 2
        return mean / ops.sqrt(height * width)
