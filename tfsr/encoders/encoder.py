"""The contract of every encoder, and of those that fold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.layers import ReparameterizedConvolution


class Encoder(keras.layers.Layer):
    """An LR image in [-1, 1] to a feature map of the same size.

    A subclass says its `channels`, its `receptive_field` and its `peak_channels`; `halo` and
    `size_multiple` have defaults.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, channels).

    Example:
        >>> encoder = tfsr.encoders.EDSR(features=64, blocks=16, residual_scale=1.0)
        >>> encoder.encode(keras.ops.zeros((1, 48, 48, 3))).shape
        (1, 48, 48, 64)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of the feature map."""

    @property
    @abstractmethod
    def receptive_field(self) -> int | None:
        """How far from a pixel its features depend on the image, in pixels; None: all of it."""

    @property
    @abstractmethod
    def peak_channels(self) -> int:
        """Channels of all maps that are in memory at once, each as large as the image."""

    @property
    def halo(self) -> int:
        """How many pixels around a tile are encoded with it; the receptive field by default.

        An encoder whose features hardly depend on distant pixels may say less: then its
        documentation has the measured error.

        Raises:
            NotImplementedError: where the receptive field is the whole image, which no tile holds.
        """
        if self.receptive_field is None:
            raise NotImplementedError(
                f"{type(self).__name__} sees the whole image: it must define a halo"
            )
        return self.receptive_field

    @property
    def size_multiple(self) -> int:
        """What the height and width that `call` takes are multiples of; 1 by default."""
        return 1

    def encode(self, image: Any, training: bool = False) -> Any:
        """The features of an image of any size.

        Where a side is no multiple of `size_multiple`, its last row or column is repeated, and the
        features of what was added are cropped.

        Args:
            image: (batch, h, w, 3), in [-1, 1].
            training: whether this is a training step.

        Returns:
            (batch, h, w, channels) in the compute dtype.
        """
        image = ops.cast(image, self.compute_dtype)
        if self.size_multiple == 1:
            return self(image, training=training)
        _, height, width, _ = ops.shape(image)
        padded = _repeat_edge(_repeat_edge(image, 1, self.size_multiple), 2, self.size_multiple)
        return self(padded, training=training)[:, :height, :width]

    def fold(self) -> Encoder:
        """An encoder of equal output that is faster; this one where nothing folds."""
        return self

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, h, w, channels)."""
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        """The layer's own arguments; a subclass adds its constructor's."""
        return super().get_config()


class FoldableEncoder(Encoder):
    """An encoder of convolutions that may be re-parameterised, and be folded.

    A subclass makes its 3x3 convolutions of the class that `convolution_class` returns, and lists
    them all in `convolutions`.

    Args:
        folded: bool. Whether the convolutions are plain, to be used, rather than re-parameterised,
            to be trained. Defaults to False.
    """

    # What the convolutions are until they are folded.
    reparameterized: type[ReparameterizedConvolution]

    def __init__(self, folded: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(folded, bool):
            raise InvalidArgument(f"folded must be true or false; received {folded!r}")
        self.folded = folded

    @property
    @abstractmethod
    def convolutions(self) -> list[keras.layers.Layer]:
        """Every layer that has weights, in an order that `folded` does not change."""

    def fold(self) -> FoldableEncoder:
        """An encoder of equal output and plain convolutions; this one if it is folded.

        Folding is exact but for float32 rounding, at the borders too. The branches are lost: to
        train on with them, keep this encoder.
        """
        if self.folded:
            return self
        folded = type(self).from_config({**self.get_config(), "folded": True})
        folded.build((None, None, None, 3))
        for layer, plain in zip(self.convolutions, folded.convolutions, strict=True):
            if isinstance(layer, ReparameterizedConvolution):
                plain.set_weights([ops.convert_to_numpy(part) for part in layer.fold()])
            else:
                plain.set_weights(layer.get_weights())
        return folded

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "folded": self.folded}


def check_positive(arguments: Mapping[str, Any]) -> None:
    """Check arguments, by name, that must be positive integers.

    Raises:
        InvalidArgument: if one is not; the message names it.
    """
    for name, value in arguments.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InvalidArgument(f"{name} must be an integer of at least 1; received {value!r}")


def _repeat_edge(image: Any, axis: int, multiple: int) -> Any:
    """Repeat the last row or column until the axis is a multiple."""
    length = ops.shape(image)[axis]
    indices = ops.minimum(ops.arange(-(-length // multiple) * multiple), length - 1)
    return ops.take(image, indices, axis=axis)
