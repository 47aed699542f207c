"""The one place that knows which backend runs underneath."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import tree

STATIC: tuple[int, ...] = ()
"""Arguments whose shape is no image size: filters, numbers of neighbours."""
AXIS = (0,)
"""Arguments of an axis, (length,) or (length, neighbours): the length varies."""
MAP = (1, 2)
"""Arguments (batch, H, W, channels): H and W vary."""


def jit(
    function: Callable[..., Any], layer: keras.layers.Layer, dynamic: Sequence[Any]
) -> Callable[..., Any]:
    """Compile a function by the backend; it runs in inference, so nothing is differentiated.

    TensorFlow traces it once for all image sizes, so that the result does not depend on earlier
    calls; JAX once for each shape; PyTorch runs it as it is.

    Args:
        function: of tensors, or tuples and lists of them, in positional arguments.
        layer: whose variables the function reads. It reads their current values, so training may
            continue in between.
        dynamic: for each argument `MAP`, `AXIS` or `STATIC`, which holds for all its tensors; or a
            tuple of these for the parts of a tuple.

    Example:
        >>> layer = tfsr.encoders.EDSR(8, 1)
        >>> layer.build((None, None, None, 3))
        >>> encode = tfsr.backend.jit(layer, layer, (tfsr.backend.MAP,))
        >>> encode(np.zeros((1, 5, 6, 3), np.float32)).shape
        TensorShape([1, 5, 6, 8])
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _of_any_size(function, dynamic)
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


def _of_any_size(function: Callable[..., Any], dynamic: Sequence[Any]) -> Callable[..., Any]:
    """Compile for TensorFlow: one graph for each class of shapes, independent of earlier calls."""
    import tensorflow

    graphs: dict[Any, Callable[..., Any]] = {}

    def spec(x: Any, axes: Any) -> Any:
        if axes and isinstance(axes[0], tuple):
            return tuple(spec(part, a) for part, a in zip(x, axes, strict=True))
        return tree.map_structure(lambda t: _spec(t, axes), x)

    def _spec(x: Any, axes: tuple[int, ...]) -> Any:
        if x is None:
            return None
        shape = tuple(None if i in axes else n for i, n in enumerate(x.shape))
        return tensorflow.TensorSpec(shape, x.dtype)

    def call(*arguments: Any) -> Any:
        specs = [spec(x, axes) for x, axes in zip(arguments, dynamic, strict=True)]
        key = repr(specs)
        if key not in graphs:

            def flat(*tensors: Any) -> Any:
                left = iter(tensors)
                return function(
                    *tree.map_structure(lambda s: None if s is None else next(left), specs)
                )

            signature = [s for s in tree.flatten(specs) if s is not None]
            compiled = tensorflow.function(flat, signature, autograph=False)
            # Traced here: TensorFlow counts the first calls of several functions that were defined
            # in one place, and warns that one is traced again and again.
            graphs[key] = compiled.get_concrete_function()
        tensors = (x for x in tree.flatten(arguments) if x is not None)
        return graphs[key](*map(tensorflow.convert_to_tensor, tensors))

    call.graphs = graphs  # type: ignore[attr-defined]
    return call


def is_traced(x: Any) -> bool:
    """Whether a value is not known yet, because the function around it is being compiled."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        return not tensorflow.executing_eagerly()
    if backend == "jax":
        import jax

        return isinstance(x, jax.core.Tracer)
    return False


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


def device_name() -> str:
    """The device that the backend computes on, as it calls it: "NVIDIA H200", "CPU" ..."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        devices = tensorflow.config.get_visible_devices("GPU")
        details = [tensorflow.config.experimental.get_device_details(d) for d in devices]
        return ", ".join(d.get("device_name", "GPU") for d in details) or "CPU"
    if backend == "jax":
        import jax

        return ", ".join(device.device_kind for device in jax.devices())
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def is_slow_in_bfloat16() -> bool:
    """Whether products in bfloat16 are emulated here: on an x86 processor without them."""
    if on_accelerator() or platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
    except OSError:
        return False
    return bool(flags) and not {"avx512_bf16", "amx_bf16"} & set(flags)
