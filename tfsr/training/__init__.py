"""Training from a recipe."""

import lazy_loader

# Lazy: the queue's processes need no Keras.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
