"""Published PyTorch weights to Keras models."""

from tfsr.converters.published import load_published

__all__ = ["load_published"]
