"""Answers as they are computed, before anything rounds them to 8 bits.

The classes of `tfsr.inference` answer in 8 bits, as files are. Most papers measure what the network
answered; rounding it costs hundredths of a decibel, the more the better the output.
"""

from __future__ import annotations

import numpy as np

from tfsr.errors import InvalidArgument
from tfsr.images import to_float
from tfsr.inference.saved_model import SavedModelUpscaler, refusal
from tfsr.inference.tflite import TFLiteUpscaler, signature_name
from tfsr.inference.upscaler import Upscaler


class FloatUpscaler(Upscaler):
    """An `Upscaler` whose outputs are float32, not rounded and not clipped."""

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 to (H, W, 3) float32, H and W being `size`."""
        return super().__call__(to_float(image), size)

    def rounded(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The output in 8 bits, as `Upscaler` gives it."""
        return super().__call__(image, size)


class FloatTFLite(TFLiteUpscaler):
    """A `TFLiteUpscaler` whose outputs are the file's own, float32 or uint8."""

    @property
    def rounds(self) -> bool:
        """Whether the file itself answers in 8 bits."""
        return self.metadata["io"] == "uint8"

    def unsupported_reason(self, lr_size: tuple[int, int], size: tuple[int, int]) -> str | None:
        """Why the file has no output to (h, w) in (H, W), in a line; None if it has."""
        height, width = self.metadata["lr_size"]
        if tuple(lr_size) == (height, width) and signature_name(size) in self._runners:
            return None
        return f"takes {width}x{height} and answers {', '.join(self._runners)}"

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 to (H, W, 3) float32 in [0, 1], or uint8.

        Raises:
            InvalidArgument: if the image or the size is not one of the file's.
        """
        if reason := self.unsupported_reason((image.shape[0], image.shape[1]), size):
            raise InvalidArgument(f"{self.path}: {reason}")
        batch = image[None] if self.rounds else to_float(image)[None]
        return self._runners[signature_name(size)](image=batch)["image"][0]

    def rounded(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The output in 8 bits, as `TFLiteUpscaler` gives it."""
        return super().__call__(image, size)


class FloatSavedModel(SavedModelUpscaler):
    """A `SavedModelUpscaler` whose outputs are float32 in [0, 1]: its `upscale_float` signature."""

    def __call__(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 to (H, W, 3) float32 in [0, 1], H and W being `size`.

        Raises:
            InvalidArgument: if the image or the size is beyond the limits that were exported.
        """
        import tensorflow as tf

        upscale = self._loaded.signatures["upscale_float"]
        batch, wanted = tf.constant(to_float(image)[None]), tf.constant(size, tf.int32)
        try:
            return upscale(image=batch, size=wanted)["image"][0].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise InvalidArgument(f"{self.path}: {refusal(str(error))}") from error

    def rounded(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The output in 8 bits, as `SavedModelUpscaler` gives it."""
        return super().__call__(image, size)
