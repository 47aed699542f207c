"""An `Upscaler` of any function, for tests of what surrounds it."""

from tfsr.inference import Upscaler


class FunctionUpscaler(Upscaler):
    """Call a function of (h, w, 3) pixels and (H, W).

    Args:
        function: returns (H, W, 3) of the pixels' dtype, or float32.
        bit_depth: of the upscaler.
    """

    kind = "function"

    def __init__(self, function, bit_depth=8):
        self._function, self.bit_depth = function, bit_depth

    def patches(self, image, size):
        yield slice(None), slice(None), self._function(image, size)
