"""Batches beyond one machine: on Ray, and files by URL."""

import lazy_loader

# Lazy, as Ray is an extra, and the workers' settings must come before TensorFlow.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
