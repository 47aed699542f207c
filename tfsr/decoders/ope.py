"""OPE and GB-LSR: a Fourier series for each LR pixel."""

from __future__ import annotations

import math
from typing import Any

import keras

from tfsr.decoders.linear import LinearDecoder
from tfsr.errors import InvalidArgument
from tfsr.layers import Convolution, FourierBasis


@keras.saving.register_keras_serializable("tfsr")
class OPE(LinearDecoder):
    """A truncated two-dimensional Fourier series whose coefficients are a convolution.

    The defaults are OPE as published ("ope"). GB-LSR ("gb-lsr") has more terms, a 1x1 convolution
    and a trained bandwidth.

    Args:
        terms: int. Terms of the series on each axis: 1, a cosine, a sine, and so on. Defaults to 7.
        frequency: float. Of the first cosine, in radians per half an LR pixel. Defaults to pi / 2.
        orthonormal: bool. Whether sines and cosines have a factor of sqrt(2). Defaults to True.
        trainable_frequency: bool. Whether the frequency is trained, from this one. Defaults to
            False.
        kernel_size: int. Of the convolution, odd. Defaults to 3.
        local_ensemble: bool. Whether the four LR pixels around a query are blended. Defaults to
            True.
        skip: str. How the input is interpolated that is added: "bilinear", "nearest" or "none".
            Defaults to "none".

    Raises:
        InvalidArgument: for a number of terms, a frequency, a kernel size or a skip that cannot be.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "ope")

    Reference:
        Song et al., OPE-SR, CVPR 2023, section 3; GB-LSR, arXiv 2606.19617.
    """

    def __init__(
        self,
        terms: int = 7,
        frequency: float = math.pi / 2,
        orthonormal: bool = True,
        trainable_frequency: bool = False,
        kernel_size: int = 3,
        local_ensemble: bool = True,
        skip: str = "none",
        **kwargs: Any,
    ) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InvalidArgument(f"kernel_size must be odd and positive; received {kernel_size}")
        basis = FourierBasis(terms, frequency, orthonormal, trainable_frequency, name="basis")
        super().__init__(basis, local_ensemble=local_ensemble, skip=skip, **kwargs)
        self.terms = terms
        self.frequency = frequency
        self.orthonormal = orthonormal
        self.trainable_frequency = trainable_frequency
        self.kernel_size = kernel_size
        self.projection = Convolution(
            basis.coefficients, kernel_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.basis_layer.build(None)
        self.projection.build(input_shape)

    @property
    def halo(self) -> int:
        """As `Decoder.halo`: half the kernel."""
        return self.kernel_size // 2

    @property
    def last_layer(self) -> Convolution:
        """As `LinearDecoder.last_layer`: the only one."""
        return self.projection

    def coefficients(self, features):
        """As `LinearDecoder.coefficients`."""
        return self.projection(features)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "terms": self.terms,
            "frequency": self.frequency,
            "orthonormal": self.orthonormal,
            "trainable_frequency": self.trainable_frequency,
            "kernel_size": self.kernel_size,
        }
