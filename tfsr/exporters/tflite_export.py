"""TFLite files of fixed size: built-in operators, nothing folded per pixel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfsr.errors import ExportError, InvalidArgument, check_choice
from tfsr.exporters.export_report import ExportReport, compare_arrays
from tfsr.exporters.model_file import (
    check_enlarges,
    check_model,
    check_path,
    image_size,
    write_model_file,
)
from tfsr.exporters.quantization import quantize_int8
from tfsr.hints import checked_arguments
from tfsr.images import read, resize, to_float
from tfsr.inference.tflite_upscaler import runners, signature_name, with_metadata
from tfsr.models import ImplicitSR, folded, with_precision
from tfsr.rendering import unroll
from tfsr.rendering.memory import memory_cost
from tfsr.rendering.schedule import schedule

Quantization = Literal["none", "float16", "dynamic", "int8"]

DEFAULT_MEMORY = 128 * 2**20

# Agreement with the Keras model that a file needs to be written: largest difference, or dB.
_LARGEST_DIFFERENCE = 1e-4
_AGREEMENT = {"float16": 55.0, "dynamic": 45.0, "int8": 45.0}

_CALIBRATION_IMAGES, _COMPARED_IMAGES = 16, 4
_FLAT_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "grey": (128, 128, 128),
}


@checked_arguments()
def tflite(
    model: ImplicitSR,
    path: str | os.PathLike[str],
    lr_size: Sequence[int],
    sizes: Sequence[Sequence[int]],
    *,
    quantize: Quantization = "none",
    calibration: Iterable[str | os.PathLike[str]] = (),
    io: Literal["float32", "uint8"] = "float32",
    max_memory: int = DEFAULT_MEMORY,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Write a TFLite file that upscales images of one size to one or more sizes.

    Input "image" (1, h, w, 3), output "output" (1, H, W, 3): float32 in [0, 1], or uint8. There is
    one signature per size, named WxH; they share their weights. Integer scales gather nothing,
    which GPU delegates need; other sizes gather along rows and columns.

    The file is run, and compared with the model, before it is written.

    Args:
        model: the model. It is exported folded.
        path: the file; its suffix is .tflite.
        lr_size: (h, w) of the input.
        sizes: the outputs' (H, W), at least one.
        quantize: "none"; "float16", weights of half the size; "dynamic", weights of 8 bits;
            "int8", products of 8 bits as well, calibrated on images.
        calibration: for "int8", image files of the kind the file will see, in any order; 16 of
            them are used, and 4 others to compare the file with the model.
        io: type of input and output.
        max_memory: bytes that the values between layers should take; above that, the image is
            rendered in bands.
        metadata: plain data to travel in the file.
        overwrite: bool. Whether a file is replaced that exists. Defaults to False.

    Returns:
        The report, its agreement measured on images that did not calibrate, or on smooth noise;
        of int8, on flat colours too if that is lower.

    Raises:
        InvalidArgument: for an impossible size or option.
        ImageError: if a calibration image cannot be read.
        ExportError: if the file exists, cannot be made or written, or does not agree with the
            model.

    Example:
        >>> model = tfsr.ImplicitSR("edsr-baseline", "thera")
        >>> report = tfsr.exporters.tflite(model, "x2.tflite", (8, 8), [(16, 16)])
        >>> report.largest_difference < 1e-4
        True
    """
    path = Path(path)
    height, width = image_size("lr_size", lr_size)
    outputs = [image_size("sizes", size) for size in sizes]
    _check(model, (height, width), outputs, quantize, io)
    check_path(path, ".tflite", overwrite)
    calibrating, images = _images(list(calibration), (height, width), quantize)
    # Weights are float32 whatever the model computes in; the converter takes nothing else.
    in_float32: Any = with_precision(model, "float32")
    model = folded(in_float32)

    content = _converted(model, (height, width), outputs, quantize, io, max_memory)
    if quantize == "int8":
        content = quantize_int8(content, [_batch(image, io) for image in calibrating])
    largest, decibels = _compare(model, content, images, outputs, io, path)
    if quantize == "int8":
        flats = [np.full((height, width, 3), c, np.uint8) for c in _FLAT_COLOURS.values()]
        decibels = min(decibels, _compare(model, content, flats, outputs, io, path)[1])
    _check_agreement(path, largest, decibels, quantize, io)
    description = {
        "format": "tflite",
        "lr_size": [height, width],
        "sizes": [list(size) for size in outputs],
        "io": io,
        "range": [0, 255] if io == "uint8" else [0, 1],
        "quantize": quantize,
        "psnr_vs_model": None if decibels == float("inf") else round(decibels, 2),
        "model": {part: model.get_config()[part] for part in ("encoder", "decoder")},
    }
    content = with_metadata(content, {**(metadata or {}), **description})
    write_model_file(path, content, overwrite)
    return ExportReport(path, len(content), largest, decibels)


def _check(model: Any, lr_size: tuple[int, int], sizes: list, quantize: str, io: str) -> None:
    check_model(model, ".tflite")
    if not sizes or len(set(sizes)) < len(sizes):
        raise InvalidArgument(f"must be one or more, each once; received {sizes}", "sizes")
    for size in sizes:
        check_enlarges(lr_size, size, "sizes")
    check_choice("quantize", quantize, ("none", *_AGREEMENT))
    check_choice("io", io, ("float32", "uint8"))


def _check_agreement(path: Path, largest: float, decibels: float, quantize: str, io: str) -> None:
    if quantize == "none" and io == "float32" and largest > _LARGEST_DIFFERENCE:
        raise ExportError(
            f"{path}: not written: differs from the model by {largest:.2g}, "
            f"more than {_LARGEST_DIFFERENCE}"
        )
    if decibels < _AGREEMENT.get(quantize, 0.0):
        raise ExportError(
            f"{path}: not written: agrees with the model to {decibels:.1f} dB only, "
            f"{quantize} must reach {_AGREEMENT[quantize]:.0f} dB"
        )


def _images(
    paths: list, lr_size: tuple[int, int], quantize: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Images of the input's size, uint8: those to calibrate with, and others to compare with."""
    if quantize == "int8" and not paths:
        raise InvalidArgument("int8 needs calibration images of the kind the file will see")
    coarse = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3), np.uint8)
    noise = [resize(image, lr_size) for image in coarse]
    # Each spread over all of them: folders are often sorted by kind.
    paths = sorted(set(map(os.fspath, paths)))
    count = min(_COMPARED_IMAGES, (len(paths) + 2) // 4)
    compared = [paths[(2 * i + 1) * len(paths) // (2 * count)] for i in range(count)]
    others = [path for path in paths if path not in compared] if len(paths) > 1 else paths
    calibrating = others[:: -(-len(others) // _CALIBRATION_IMAGES) or 1]
    first, second = (
        [resize(read(path), lr_size) for path in chosen] for chosen in (calibrating, compared)
    )
    return first, second or noise


def _converted(model, lr_size, sizes, quantize: str, io: str, max_memory: int) -> bytes:
    budget = max(1, max_memory // memory_cost(model).query)
    module = tf.Module()
    module.variables_of_model = [variable.value for variable in model.variables]
    dtype = tf.uint8 if io == "uint8" else tf.float32
    signature = [tf.TensorSpec((1, *lr_size, 3), dtype, name="image")]
    functions = {
        signature_name(size): tf.function(
            _endpoint(_of_one_size(model, lr_size, size, budget), io),
            input_signature=signature,
            autograph=False,
        )
        for size in sizes
    }
    module.functions = list(functions.values())
    with tempfile.TemporaryDirectory(prefix="tfsr-") as folder:
        tf.saved_model.save(module, folder, signatures=functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        # The default would admit operators that the runtime does not have.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize in ("float16", "dynamic"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            return converter.convert()
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise ExportError(f"the converter refuses this model: {reason}") from error


def _of_one_size(model: Any, lr_size: tuple[int, int], size: Any, budget: int) -> Callable:
    """As `unroll`, of a function that refuses other sizes or is right at them.

    After `resize_tensor_input` bands and phases, whose sizes are constants, would output something
    of the old size.
    """
    upscale = unroll(model, lr_size, size, budget)
    if schedule(model.plan(lr_size, size), model.decoder, budget, True).kind == "convolution":
        # Right at any size, or else the maps of coordinates and edges do not fit. GPU delegates
        # take it as it is, but might not take what comes below.
        return upscale
    return lambda image: upscale(_of_size(image, *lr_size))


def _endpoint(upscale: Callable, io: str) -> Callable:
    def from_float(image):
        return {"output": upscale(image)}

    def from_uint8(image):
        output = upscale(tf.cast(image, tf.float32) / 255.0)
        return {"output": tf.cast(tf.floor(output * 255.0 + 0.5), tf.uint8)}

    return from_uint8 if io == "uint8" else from_float


def _of_size(image: Any, height: int, width: int) -> Any:
    """The image itself, by operators that an interpreter cannot prepare for another size or batch.

    The factors are powers of 2, whose product is exactly 1.
    """
    with tf.name_scope("normalized"):
        image = image * np.full((1, height, 1, 3), 2, np.float32)
        image = image * np.full((1, 1, width, 3), 2, np.float32)
        # Elements are counted: an image of one row or one column would be repeated, and so passes.
        image = tf.reshape(image, (1, height * width, 3, 1))
        image = image * np.full((1, 1, 3, 1), 0.25, np.float32)
        return tf.reshape(image, (1, height, width, 3))


def _compare(model, content: bytes, images, sizes, io: str, path: Path) -> tuple[float, float]:
    functions = runners(content, os.cpu_count() or 1, path)
    found, expected = [], []
    for image in images:
        for size in sizes:
            output = functions[signature_name(size)](image=_batch(image, io))["output"]
            found.append(output / 255.0 if io == "uint8" else output)
            expected.append(np.clip(model.upscale(to_float(image)[None], size), 0, 1))
    return compare_arrays(found, expected)


def _batch(image: np.ndarray, io: str) -> np.ndarray:
    return image[None] if io == "uint8" else to_float(image)[None]
