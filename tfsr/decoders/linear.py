"""Decoders whose output is linear in a few coefficients of each LR pixel."""

from __future__ import annotations

from typing import Any

from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost
from tfsr.geometry import Axis, Neighbour
from tfsr.layers import Basis, Convolution, weighted_sum


class LinearDecoder(Decoder):
    """Base of decoders that multiply coefficients by functions of the position and sum them.

    The coefficients of an LR pixel come from its features, by layers of any kind; the functions, a
    `Basis`, depend on the offset and on the scale. All that depends on the output pixel is
    therefore a dot product; and at an integer scale, where every LR pixel has the same offsets,
    the last linear layer, the functions, the local ensemble and the skip are one convolution and
    a pixel shuffle (`tfsr.rendering.make_tail`).

    A subclass defines `coefficients`; where a single convolution computes them from the latent, it
    names that layer as `last_layer`.

    Args:
        basis: the functions.
        local_ensemble: whether the four LR pixels around a query are blended.
        skip: interpolation of the input that is added: "bilinear", "nearest" or "none".
        mean: a colour in [0, 1] that is added to the output. Defaults to black.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "ope").decoder.basis_layer.coefficients
        147
    """

    def __init__(
        self,
        basis: Basis,
        *,
        local_ensemble: bool,
        skip: str,
        mean: tuple[float, ...] = (0.0, 0.0, 0.0),
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=skip, **kwargs)
        self.skip = skip
        self.basis_layer = basis
        self.mean = mean
        self.sums_rows_first = basis.separable

    def coefficients(self, features):
        """(batch, h, w, channels) of the latent to (batch, h, w, `basis.coefficients`)."""
        raise NotImplementedError(f"{type(self).__name__} must define coefficients")

    @property
    def last_layer(self) -> Convolution | None:
        """The convolution from the latent's features to coefficients; None if it takes more."""
        return None

    @property
    def merges_last_layer(self) -> bool:
        """Whether a tail's convolution includes the last layer.

        With an ensemble only a 1x1 layer can be included: a larger kernel would give coefficients
        to pixels outside the image, which have no share in the blend.
        """
        last = self.last_layer
        return last is not None and (not self.local_ensemble or tuple(last.kernel_size) == (1, 1))

    def tail_input(self, features):
        """The input of a tail's convolution: the last layer's input, or the coefficients."""
        return features if self.merges_last_layer else self.coefficients(features)

    def basis_costs(self) -> list[LayerCost]:
        """As `layer_costs`, of a basis with layers of its own."""
        return []

    def project(self, features):
        """The coefficients of each LR pixel."""
        return self.coefficients(features)

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """The basis's values, where a query has one neighbour and they do not separate."""
        if self.basis_layer.separable or self.local_ensemble:
            return None
        return self.basis_layer.values(rows.neighbour(0), columns.neighbour(0))

    def add_row_terms(self, features, rows: Neighbour):
        """The coefficients, contracted at the row's offset where the basis separates."""
        if not self.basis_layer.separable:
            return features
        return self.basis_layer.contract_rows(features, rows)

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """The sum of products of coefficients and basis."""
        basis = self.basis_layer
        if basis.separable:
            return weighted_sum(features, basis.column_values(columns), basis.column_colours)
        values = basis.values(rows, columns) if modulation is None else modulation
        return weighted_sum(features, values, basis.colours)
