"""Published PyTorch and Flax weights to Keras models."""

from tfsr.converters.published import Published, from_pytorch, read_published
from tfsr.converters.torch_weights import load_published

__all__ = ["Published", "from_pytorch", "load_published", "read_published"]
