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
    """OPE and GB-LSR: a truncated Fourier series for each LR pixel.

    Its coefficients are a convolution. The defaults are OPE as published ("ope"). GB-LSR ("gb-lsr")
    has more terms, a 1x1 convolution and a trained bandwidth.

    Args:
        terms: terms of the series on each axis: 1, a cosine, a sine, and so on.
        frequency: of the first cosine, in radians per half an LR pixel.
        orthonormal: whether sines and cosines have a factor of sqrt(2).
        trainable_frequency: whether the frequency is trained, from this one.
        kernel_size: of the convolution, odd.
        local_ensemble: whether the four LR pixels around a query are blended.
        skip: interpolation of the input that is added: "bilinear", "nearest" or "none".

    Raises:
        InvalidArgument: for an impossible number of terms, frequency, kernel size or skip.

    Reference:
        Song et al., OPE-SR, CVPR 2023, section 3; GB-LSR, arXiv 2606.19617.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "gb-lsr").decoder.basis_layer.coefficients
        768
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
        self.halo = kernel_size // 2
        self.projection = Convolution(
            basis.coefficients, kernel_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        self.basis_layer.build(None)
        self.projection.build(input_shape)

    @property
    def last_layer(self) -> Convolution:
        """As `LinearDecoder.last_layer`: the only one."""
        return self.projection

    def coefficients(self, features):
        """As `LinearDecoder.coefficients`."""
        return self.projection(features)
