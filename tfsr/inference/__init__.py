"""Upscalers of every kind, their one loader, and batches of files within limits."""

import lazy_loader

# Lazy, as the command line imports limits and sizes before it imports TensorFlow.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
