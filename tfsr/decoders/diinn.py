"""DIINN: the dual interactive implicit neural network."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from tfsr.decoders.decoder import Decoder
from tfsr.decoders.layer_cost import LayerCost, separable_costs
from tfsr.errors import InvalidArgument
from tfsr.geometry import Axis, Neighbour, NeighbourMode
from tfsr.layers import Convolution, Linear, SeparableDense


@keras.saving.register_keras_serializable("tfsr")
class DIINN(Decoder):
    """DIINN: a content branch and a branch of sines of the position that feed each other.

    k_0 = relu(K_0 x), q_0 = k_0 sin(Q_0 p); k_i = relu(K_i y), q_i = k_i sin(Q_i q_(i-1)), where x
    are the 3x3 features around the nearest LR pixel, p is the position in it and y depends on the
    mode. The features' terms of every K_i are a convolution on the LR grid.

    Args:
        width: width of both branches.
        layers: number of layers of both.
        mode: what content layers after the first see: 1, the content before, k; 2, k and the
            features; 3, the modulated content q and the features, the paper's final model. (Mode
            4, a 3x3 convolution over the output, is not point-wise.)
        local_ensemble: True is the variant that ARASFSR's authors compare with: a local ensemble,
            and the cell's height and width as position where the original has the area ratio of
            the two images.

    Raises:
        InvalidArgument: for another mode, or sizes that are not positive.

    Reference:
        Nguyen, Beksi, WACV 2023 (arXiv 2210.12321), section 3.2.

    Example:
        >>> tfsr.ImplicitSR("edsr-baseline", "diinn").decoder.neighbour_mode
        'nearest-exact'
    """

    def __init__(
        self,
        width: int = 256,
        layers: int = 4,
        mode: Literal[1, 2, 3] = 3,
        local_ensemble: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(local_ensemble=local_ensemble, input_skip=False, **kwargs)
        if mode not in (1, 2, 3):
            raise InvalidArgument(f"mode must be 1, 2 or 3; got {mode!r}")
        if min(width, layers) < 1:
            raise InvalidArgument(f"width and layers must be positive; got {width}, {layers}")
        self.width = width
        self.layers = layers
        self.mode = mode
        self.query_width = width
        policy = self.dtype_policy
        later = range(1, layers)
        # The bias of a content layer is in its features' share where it has one.
        self.projections = [
            Convolution(width, dtype=policy, name=f"projection_{i}")
            for i in range(layers if mode > 1 else 1)
        ]
        self.content = [
            Linear(width, use_bias=mode == 1, dtype=policy, name=f"content_{i}") for i in later
        ]
        # The arguments of sines stay float32 whatever the policy.
        self.position = SeparableDense(width, use_bias=True, name="position")
        self.modulation_layers = [
            Linear(width, dtype="float32", name=f"modulation_{i}") for i in later
        ]
        self.output_layer = Linear(3, dtype=policy, name="output")

    @property
    def neighbour_mode(self) -> NeighbourMode:
        """The ensemble's neighbours, or the pixel that torch's "nearest-exact" resize takes."""
        return "ensemble" if self.local_ensemble else "nearest-exact"

    def build(self, input_shape) -> None:
        """Build every layer for features of (batch, h, w, channels)."""
        unfolded = 9 * input_shape[-1]
        later = self.width + unfolded
        for i, projection in enumerate(self.projections):
            projection.fan_in = unfolded if i == 0 else later
            projection.build(input_shape)
        for content, modulation in zip(self.content, self.modulation_layers, strict=True):
            content.fan_in = self.width if self.mode == 1 else later
            content.build((None, self.width))
            modulation.build((None, self.width))
        if self.local_ensemble:
            self.position.build((None, 2))
        else:
            self.position.fan_in = 3
            self.position.build((None, 1))
            self.ratio = Linear(self.width, use_bias=False, fan_in=3, dtype="float32", name="ratio")
            self.ratio.build((None, 1))
        self.output_layer.build((None, self.width))

    def project(self, features):
        """The features' share of every content layer that sees them, biases included."""
        return [projection(features) for projection in self.projections]

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """The first wave, where there is one neighbour: the same for all images of one size."""
        return (
            None
            if self.local_ensemble
            else self._first_wave(rows.neighbour(0), columns.neighbour(0))
        )

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """Both branches, from the features' shares and the position."""
        shares = features
        k = ops.relu(shares[0])
        q = k * (self._first_wave(rows, columns) if modulation is None else modulation)
        for i, (content, wave) in enumerate(
            zip(self.content, self.modulation_layers, strict=True), start=1
        ):
            k = content(q if self.mode == 3 else k)
            k = ops.relu(k if self.mode == 1 else k + shares[i])
            q = k * self._wave(wave(ops.cast(q, "float32")))
        return self.output_layer(q)

    def _first_wave(self, rows: Neighbour, columns: Neighbour):
        if self.local_ensemble:
            row_term, column_term = self.position(
                *(SeparableDense.values(axis.offset, axis.cell) for axis in (rows, columns))
            )
            return self._wave(row_term + column_term)
        row_term, column_term = self.position(rows.offset, columns.offset)
        # LR pixels in an output pixel: (h w) / (H W), the cell being two to an LR pixel.
        return self._wave(row_term + column_term + self.ratio(rows.cell * columns.cell / 4))

    def _wave(self, phase):
        return ops.cast(ops.sin(phase), self.compute_dtype)

    def layer_costs(self) -> list[LayerCost]:
        """As `Decoder.layer_costs`."""
        return [
            LayerCost(tuple(self.projections), "pixel", "neighbour"),
            *separable_costs(self.position),
            LayerCost((*self.content, *self.modulation_layers), "neighbour", "neighbour"),
            LayerCost((self.output_layer,), "neighbour", "neighbour"),
            *([] if self.local_ensemble else [LayerCost((self.ratio,), "neighbour", "neighbour")]),
        ]
