"""The one place that knows which backend runs underneath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def compiled(function: Callable[..., Any], layer: keras.layers.Layer) -> Callable[..., Any]:
    """`function`, compiled by the backend; it runs in inference, so nothing is differentiated.

    It is traced once for each class of its arguments' shapes. TensorFlow needs two or three of
    them for pictures of all sizes: sizes that were seen to vary are no part of the class. JAX needs
    one for each shape. PyTorch runs it as it is.

    Args:
        function: of tensors, or tuples and lists of them, in positional arguments.
        layer: whose variables the function reads. It finds their values of the day, so training
            may go on in between.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        return tensorflow.function(function, reduce_retracing=True, autograph=False)
    if backend == "jax":
        import jax

        @jax.jit
        def stateless(values, *arguments):
            # Left to itself, jit would take the weights for constants.
            with keras.StatelessScope(state_mapping=zip(layer.variables, values, strict=True)):
                return function(*arguments)

        return lambda *arguments: stateless([v.value for v in layer.variables], *arguments)
    import torch

    return torch.no_grad()(function)


def on_accelerator() -> bool:
    """Whether the backend computes on something other than the processor."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        return bool(tensorflow.config.get_visible_devices("GPU"))
    if backend == "jax":
        import jax

        return jax.default_backend() != "cpu"
    import torch

    return torch.cuda.is_available()
