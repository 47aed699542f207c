"""The contract of every encoder, and of those that fold."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.layers import ConfiguredLayer, Convolution, ReparameterizedConvolution


class Encoder(ConfiguredLayer):
    """An LR image in [-1, 1] to a feature map of the same size.

    A subclass sets `receptive_field`, `peak_channels` and `features` (or overrides `channels`);
    `halo` and `size_multiple` have defaults. It stores each constructor argument as an attribute of
    the same name: `get_config` follows from that.

    Input shape: (batch, h, w, 3), in [-1, 1]. Output shape: (batch, h, w, channels).

    Example:
        >>> encoder = tfsr.encoders.EDSR(features=8, blocks=2)
        >>> encoder.encode(np.zeros((1, 12, 17, 3), "float32")).shape
        TensorShape([1, 12, 17, 8])
    """

    features: int
    receptive_field: int | None
    """How far from a pixel its features depend on the image, in pixels; None: all of it."""
    peak_channels: int
    """Channels of all image-sized maps in memory at the same time."""

    @property
    def channels(self) -> int:
        """Channels of the feature map: the argument `features` by default."""
        return self.features

    @property
    def halo(self) -> int:
        """How many pixels around a tile are encoded with it; the receptive field by default.

        An encoder whose features hardly depend on distant pixels may return less; it documents the
        measured error.

        Raises:
            NotImplementedError: if the receptive field is the whole image, which no tile holds.
        """
        if self.receptive_field is None:
            raise NotImplementedError(
                f"{type(self).__name__} sees the whole image: it must define a halo"
            )
        return self.receptive_field

    @property
    def size_multiple(self) -> int:
        """The height and width that `call` accepts are multiples of this; 1 by default."""
        return 1

    def encode(self, image: Any, training: bool = False) -> Any:
        """The features of an image of any size.

        A side that is no multiple of `size_multiple` is padded by repeating its last row or
        column; the features of the padding are cropped.

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
        """A faster encoder with the same output; itself if nothing folds."""
        return self

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, h, w, channels)."""
        return (*input_shape[:-1], self.channels)


class FoldableEncoder(Encoder):
    """An encoder of 3x3 convolutions that may be re-parameterized, and folded.

    A subclass creates its 3x3 convolutions by `convolution` and lists all its layers in
    `convolutions`.

    Args:
        features: int, at least 1. Channels of the feature map.
        blocks: int, at least 1.
        folded: bool. Whether the convolutions are plain ones, for inference, instead of
            re-parameterized ones, for training. Defaults to False.

    Raises:
        InvalidArgument: if an argument has another value.

    Example:
        >>> encoder = tfsr.encoders.SPAN(features=8, blocks=1)
        >>> encoder.build((None, None, None, 3))
        >>> isinstance(encoder, tfsr.encoders.FoldableEncoder), encoder.fold().folded
        (True, True)
    """

    reparameterized: type[ReparameterizedConvolution]
    """Class of the 3x3 convolutions until they are folded."""

    def __init__(self, features: int, blocks: int, folded: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive(features=features, blocks=blocks)
        if not isinstance(folded, bool):
            raise InvalidArgument(f"must be true or false; received {folded!r}", argument="folded")
        self.features = features
        self.blocks = blocks
        self.folded = folded

    def convolution(self, name: str, activation: str | None = None) -> Any:
        """A 3x3 convolution to `features` channels."""
        cls = Convolution if self.folded else self.reparameterized
        return cls(self.features, activation=activation, dtype=self.dtype_policy, name=name)

    @property
    @abstractmethod
    def convolutions(self) -> list[Any]:
        """Every layer that has weights, in an order that does not depend on `folded`."""

    def fold(self) -> FoldableEncoder:
        """An encoder with the same output and plain convolutions; itself if it is folded.

        Folding is exact but for float32 rounding, at the borders too. The branches are lost: keep
        this encoder to continue training with them.
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


def check_positive(**arguments: Any) -> None:
    """Check arguments that must be positive integers.

    Raises:
        InvalidArgument: if one is not.
    """
    for name, value in arguments.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InvalidArgument(
                f"must be an integer of at least 1; received {value!r}", argument=name
            )


def _repeat_edge(image: Any, axis: int, multiple: int) -> Any:
    """Repeat the last row or column until the axis is a multiple."""
    length = ops.shape(image)[axis]
    indices = ops.minimum(ops.arange(-(-length // multiple) * multiple), length - 1)
    return ops.take(image, indices, axis=axis)
