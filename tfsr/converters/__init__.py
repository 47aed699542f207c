"""Published PyTorch weights to Keras models."""

from tfsr.converters.published import load_published
from tfsr.converters.pytorch import Published, from_pytorch, read_published

__all__ = ["Published", "from_pytorch", "load_published", "read_published"]
