"""ONNX files: of a fixed size, of one scale, or of any size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfsr.decoders import LinearDecoder
from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters.endpoints import Endpoints, ServingLimits
from tfsr.exporters.export_report import ExportReport, compare_arrays
from tfsr.exporters.model_file import (
    check_enlarges,
    check_model,
    check_path,
    image_size,
    write_model_file,
)
from tfsr.exporters.onnx_canonical import make_canonical
from tfsr.exporters.saved_model_export import ENCODING_MEMORY
from tfsr.geometry import output_size
from tfsr.hints import checked_arguments
from tfsr.images import resize, to_float
from tfsr.inference.onnx_upscaler import session, with_metadata
from tfsr.models import ImplicitSR, folded, with_precision
from tfsr.rendering import unroll, unroll_convolution
from tfsr.rendering.memory import memory_cost
from tfsr.rendering.schedule import MAX_SUB_PIXELS

# The newest that tf2onnx writes.
_OPSET = 18

_LARGEST_DIFFERENCE = 1e-5

# Values between layers of a fixed size: above that, the image is rendered in bands.
_MEMORY = 512 * 2**20

# (LR size, size) that an export is compared at: a scale's own sizes, or these.
_COMPARED = [((40, 48), (80, 96)), ((31, 24), (115, 89)), ((23, 37), (37, 41))]


@checked_arguments()
def onnx(
    model: ImplicitSR,
    path: str | os.PathLike[str],
    *,
    lr_size: Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    scale: float | None = None,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Write an ONNX file (opset 18, ONNX's own operators) that upscales images.

    Input "image" (batch, h, w, 3), output "output" (batch, H, W, 3), float32 in [0, 1]:

    - with `lr_size` and a `size` or `scale`: fixed height and width;
    - with `scale` alone: any height and width. A linear decoder's integer scale is convolutions
      and a DepthToSpace;
    - with neither: any height and width, and a second input "size", int32 (H, W). The output is
      rendered in patches, by a Loop.

    ONNX has no operator that refuses: what runs the file checks its sizes. The file is run by
    onnxruntime, and compared with the model, before it is written. Its metadata properties
    describe it.

    Args:
        model: the model. It is exported in float32, and folded.
        path: the file; its suffix is .onnx.
        lr_size: (h, w) of the input. Defaults to any.
        size: (H, W) of the output of an `lr_size`.
        scale: at least 1, instead of a size.
        metadata: plain data to travel in the file: origin, licence.
        overwrite: whether a file is replaced that exists. Defaults to False.

    Returns:
        The report, its agreement measured on smooth noise.

    Raises:
        InvalidArgument: for an impossible size or scale.
        ExportError: without tf2onnx and onnxruntime, or if the file exists, cannot be made or
            written, or does not agree with the model.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "thera")
        >>> report = tfsr.exporters.onnx(model, "x2.onnx", scale=2)
        >>> report.largest_difference < 1e-5
        True
    """
    path = Path(path)
    check_model(model, ".onnx")
    check_path(path, ".onnx", overwrite)
    sizes = _sizes(lr_size, size, scale)
    exact: Any = folded(with_precision(model, "float32"))
    function, compared = _function(exact, sizes, scale)
    proto = _converted(function)
    largest, decibels = _compare(exact, proto.SerializeToString(), compared, path)
    if not largest <= _LARGEST_DIFFERENCE:
        raise ExportError(
            f"{path}: not written: differs from the model by {largest:.2g}, "
            f"more than {_LARGEST_DIFFERENCE}"
        )
    cost = memory_cost(exact).lr_pixel
    fixed_lr, fixed_size = map(list, sizes) if sizes else (None, None)
    description = {
        "format": "onnx",
        "opset": _OPSET,
        "lr_size": fixed_lr,
        "size": fixed_size,
        "scale": None if sizes else scale,
        "range": [0, 1],
        "max_input_pixels": ENCODING_MEMORY // cost,
        "bytes_per_input_pixel": cost,
        "largest_difference": largest,
        "model": {part: exact.get_config()[part] for part in ("encoder", "decoder")},
    }
    content = with_metadata(proto, {**(metadata or {}), **description})
    write_model_file(path, content, overwrite)
    return ExportReport(path, len(content), largest, decibels)


Sizes = tuple[tuple[int, int], tuple[int, int]]


def _sizes(lr_size: Any, size: Any, scale: Any) -> Sizes | None:
    """(h, w) and (H, W) of a file of fixed size; None of one of any size."""
    if scale is not None and not (isinstance(scale, int | float) and 1 <= scale < 1e9):
        raise InvalidArgument(f"must be a number, at least 1; received {scale!r}", "scale")
    if lr_size is None:
        if size is not None:
            raise InvalidArgument("is of a fixed lr_size: give both, or neither", "size")
        return None
    if (size is None) == (scale is None):
        raise InvalidArgument("needs exactly one of size and scale", "lr_size")
    lr_size = image_size("lr_size", lr_size)
    fixed = image_size("size", size if scale is None else output_size(lr_size, scale))
    check_enlarges(lr_size, fixed, "size")
    return lr_size, fixed


def _function(model: Any, sizes: Sizes | None, scale: float | None) -> tuple[Any, list[Sizes]]:
    """The function to convert, and the sizes to compare it at."""
    image = tf.TensorSpec((None, *(sizes[0] if sizes else (None, None)), 3), tf.float32, "image")
    if sizes:
        budget = max(1, _MEMORY // memory_cost(model).query)
        upscale = unroll(model, *sizes, budget, gather_free=False)
        return _traced(lambda image: {"output": upscale(image)}, image), [sizes]
    # What the graph of a server refuses, ONNX cannot: the checks are not converted.
    any_size = Endpoints(model, ServingLimits(1, 1)).upscale_float
    if scale is None:
        return _traced(any_size, image, tf.TensorSpec((2,), tf.int32, "size")), _COMPARED
    return _traced(_of_scale(model, scale, any_size), image), [
        (lr_size, output_size(lr_size, scale)) for lr_size, _ in _COMPARED
    ]


def _of_scale(model: Any, scale: float, any_size: Callable) -> Callable:
    if isinstance(model.decoder, LinearDecoder) and scale == int(scale):
        if scale * scale <= MAX_SUB_PIXELS:
            upscale = unroll_convolution(model, (int(scale), int(scale)))
            return lambda image: {"output": upscale(image)}

    def upscale_by(image):
        # As `output_size`, in double precision.
        size = tf.cast(tf.shape(image)[1:3], tf.float64) * scale
        return any_size(image, tf.cast(tf.floor(size + 0.5), tf.int32))

    return upscale_by


def _traced(function: Callable, *specs: tf.TensorSpec) -> Any:
    return tf.function(function, input_signature=specs, autograph=False)


def _converted(function: Any) -> Any:
    """The model, a protocol buffer of `onnx`."""
    try:
        from tf2onnx.convert import from_function
    except ImportError as error:
        raise ExportError("an ONNX export needs tf2onnx: pip install 'tfsr[onnx]'") from error
    try:
        proto, _ = from_function(function, function.input_signature, opset=_OPSET)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ExportError(f"the converter refuses this model: {reason}") from error
    make_canonical(proto)
    for prefix, values in (("", proto.graph.input[:1]), ("output_", proto.graph.output)):
        names = ["batch", f"{prefix}height", f"{prefix}width"]
        *dims, channels = values[0].type.tensor_type.shape.dim
        channels.dim_value = 3
        for dim, name in zip(dims, names, strict=True):
            if not dim.HasField("dim_value") or dim.dim_value < 1:
                dim.dim_param = name
    proto.producer_name, proto.producer_version = "tfsr", _version()
    return proto


def _version() -> str:
    from tfsr import __version__

    return __version__


def _compare(model: Any, content: bytes, compared: list[Sizes], path: Path) -> tuple[float, float]:
    run = session(content, 0, path)
    takes_size = len(run.get_inputs()) > 1
    found, expected = [], []
    for seed, (lr_size, size) in enumerate(compared):
        coarse = np.random.default_rng(seed).integers(0, 256, (2, 6, 6, 3), np.uint8)
        images = np.stack([to_float(resize(image, lr_size)) for image in coarse])
        feed = {"image": images, **({"size": np.array(size, np.int32)} if takes_size else {})}
        try:
            found += [*run.run(["output"], feed)[0]]
        except Exception as error:
            raise ExportError(f"{path}: not written: does not run: {error}") from error
        expected += [*np.clip(model.upscale(images, size), 0, 1)]
    return compare_arrays(found, expected)
