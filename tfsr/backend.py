"""The one place that knows which backend runs underneath."""

from __future__ import annotations

import platform
from collections.abc import Callable, Container
from typing import Any

import keras
from keras import tree

# Of one dimension, what is as short as this is no length of an axis, but a number of neighbours.
_SHORT = 2


def jit(
    function: Callable[..., Any], layer: keras.layers.Layer, static_shape_args: Container[int] = ()
) -> Callable[..., Any]:
    """`function`, compiled by the backend; it runs in inference, so nothing is differentiated.

    It is traced once for each class of its arguments' shapes. JAX needs one for each shape.
    TensorFlow needs a few for images of all sizes, which are no part of the class; and what a
    function answers does not depend on what it was called with before. PyTorch runs it as it is.

    Args:
        function: of tensors, or tuples and lists of them, in positional arguments.
        layer: whose variables the function reads. It finds their values of the day, so training
            may go on in between.
        static_shape_args: positions of arguments whose shapes are not image sizes, such as filters.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _of_any_size(function, static_shape_args)
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


def _of_any_size(
    function: Callable[..., Any], static_shape_args: Container[int]
) -> Callable[..., Any]:
    """`function` for TensorFlow: a graph for each class of shapes, the same whatever came first."""
    import tensorflow

    graphs: dict[Any, Callable[..., Any]] = {}

    def spec(x: Any, kept: bool) -> Any:
        if x is None:
            return None
        shape = tuple(x.shape)
        # Of an axis, (length,) or (length, neighbours); of maps, (batch, H, W, channels).
        if not kept and len(shape) > 2:
            shape = (shape[0], *(None for _ in shape[1:-1]), shape[-1])
        elif not kept and (len(shape) == 2 or (len(shape) == 1 and shape[0] > _SHORT)):
            shape = (None, *shape[1:])
        return tensorflow.TensorSpec(shape, x.dtype)

    def call(*arguments: Any) -> Any:
        specs = [
            tree.map_structure(lambda x, kept=number in static_shape_args: spec(x, kept), argument)
            for number, argument in enumerate(arguments)
        ]
        key = repr(specs)
        if key not in graphs:

            def flat(*tensors: Any) -> Any:
                left = iter(tensors)
                return function(
                    *tree.map_structure(lambda s: None if s is None else next(left), specs)
                )

            signature = [s for s in tree.flatten(specs) if s is not None]
            graphs[key] = tensorflow.function(flat, signature, autograph=False)
        return graphs[key](*(x for x in tree.flatten(arguments) if x is not None))

    call.graphs = graphs  # type: ignore[attr-defined]
    return call


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
