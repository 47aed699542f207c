"""The fixed-scale systems: an encoder with a sub-pixel tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.backend import is_traced
from tfsr.encoders import ENCODERS
from tfsr.errors import InvalidArgument
from tfsr.hints import checked_arguments
from tfsr.layers import Convolution
from tfsr.layers.configured_layer import with_dtype
from tfsr.models.arguments import as_float32, output_size_of
from tfsr.models.bicubic import Bicubic
from tfsr.models.sr_model import SRModel
from tfsr.rendering import SubPixelRenderer
from tfsr.rendering.maps import denormalize, normalize
from tfsr.rendering.renderer import Renderer

_FACTORS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


@keras.saving.register_keras_serializable("tfsr")
class SubPixelSR(SRModel):
    """EDSR or RDN as they were published: super-resolution by one integer scale.

    The tail widens the feature map by a 3x3 convolution and lets groups of channels become
    neighbouring pixels, once for each factor of the scale, then makes colours of it.

    Args:
        encoder: an encoder layer, its registered name, or {"name": ..., argument: value}.
        scale: int. 2, 3, 4 or 8.

    Raises:
        InvalidArgument: for an unknown encoder or another scale.

    Reference:
        Shi et al., CVPR 2016 (arXiv 1609.05158); EDSR, Lim et al., CVPRW 2017 (arXiv 1707.02921);
        RDN, Zhang et al., CVPR 2018 (arXiv 1802.08797).

    Example:
        >>> model = tfsr.models.SubPixelSR("edsr-baseline", scale=2)
        >>> model.upscale(np.zeros((1, 4, 5, 3), np.float32), scale=2).shape
        (1, 8, 10, 3)
    """

    @checked_arguments("SubPixelSR.from_preset(NAME) loads a trained model")
    def __init__(self, encoder: Any, scale: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **with_dtype(kwargs))
        if scale not in _FACTORS:
            raise InvalidArgument(f"scale must be one of {list(_FACTORS)}; got {scale!r}")
        self.scale = scale
        self.encoder = ENCODERS.build(encoder, dtype=self.dtype_policy)
        # RDN's tail is as wide as its blocks' growth, EDSR's as its features.
        width = getattr(self.encoder, "growth", self.encoder.channels)
        policy = self.dtype_policy
        self.widen = [
            Convolution(width * factor**2, dtype=policy, name=f"widen_{i}")
            for i, factor in enumerate(_FACTORS[scale])
        ]
        self.colours = Convolution(3, dtype=policy, name="colours")
        self.encoder.build((None, None, None, 3))
        channels = self.encoder.channels
        for layer in self.widen:
            layer.build((None, None, None, channels))
            channels = width
        self.colours.build((None, None, None, channels))
        self.build((None, None, None, 3))  # Keras records it for `export`.

    def call(self, inputs: Any, training: bool = False):
        """Upscale by the model's own scale.

        Args:
            inputs: (batch, h, w, 3) in [0, 1], or a mapping that has it as "image".
            training: not used: training and inference are the same.

        Returns:
            (batch, scale h, scale w, 3) float32 in [0, 1], not clipped.
        """
        image = inputs["image"] if isinstance(inputs, Mapping) else inputs
        x = self.encoder.encode(normalize(as_float32(image)), training=training)
        for layer, factor in zip(self.widen, _FACTORS[self.scale], strict=True):
            x = sub_pixels_to_space(layer(x), factor)
        return denormalize(ops.cast(self.colours(x), "float32"))

    @checked_arguments()
    def upscale(
        self, image: Any, size: Sequence[int] | None = None, *, scale: float | None = None
    ) -> np.ndarray:
        """Upscale images to any size: by the model's scale, the rest by bicubic.

        Args:
            image: (batch, h, w, 3) in [0, 1].
            size: (H, W) of the output.
            scale: factor on both sides, instead of a size.

        Returns:
            (batch, H, W, 3) float32 in [0, 1], not clipped: an array, or inside a compiled
            function a tensor.

        Raises:
            InvalidArgument: as `ImplicitSR.upscale`.
        """
        size = output_size_of(image, size, scale)
        output = self(image)
        if not is_traced(image):
            output = ops.convert_to_numpy(output)
        return output if size == output.shape[1:3] else Bicubic().upscale(output, size)

    global_coordinates = False
    _takes_images = True

    @property
    def halo(self) -> int:
        """How far from a pixel the output depends on the image, in LR pixels."""
        # The tail's convolutions reach one pixel each, at 1, 2, 4 and so on to an LR pixel.
        return self.encoder.halo + 2

    def renderer(self, memory: int) -> Renderer:
        """Make a renderer of tiles of the output, in `memory` bytes."""
        return SubPixelRenderer(self, memory)

    def get_config(self) -> dict[str, Any]:
        """Plain data: {"encoder": {"name": ..., ...}, "scale": ...} and the layer's own."""
        encoder = ENCODERS.config_of(self.encoder)
        return {**super().get_config(), "encoder": encoder, "scale": self.scale}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> SubPixelSR:
        """The model of {"encoder": name or mapping, "scale": integer}.

        Raises:
            InvalidArgument: if either is missing, or a name or an argument is unknown.
        """
        return cls._of_config(config, {"encoder": ENCODERS}, ("encoder", "scale"))


def sub_pixels_to_space(x, factor: int):
    """(batch, h, w, channels factor^2) to (batch, factor h, factor w, channels).

    Channels are grouped as PyTorch's pixel_shuffle groups them: channel, then row, then column of
    the sub-pixel.
    """
    batch, height, width, channels = ops.shape(x)
    outputs = channels // factor**2
    x = ops.reshape(x, (batch, height, width, outputs, factor, factor))
    x = ops.transpose(x, (0, 1, 4, 2, 5, 3))
    return ops.reshape(x, (batch, height * factor, width * factor, outputs))
