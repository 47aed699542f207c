"""Training from a recipe."""

import lazy_loader

from tfsr.hints import of_module

# Lazy: the queue's processes need no Keras.
_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = of_module(__name__, otherwise=_attribute)
