"""SavedModels: any image size, any output size, for TensorFlow Serving and its like."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters.endpoints import Endpoints, ServingLimits
from tfsr.exporters.export_report import ExportReport
from tfsr.exporters.verification import compare_saved_model, make_examples
from tfsr.exporters.warmup import WARMUP, write_requests
from tfsr.hints import checked_arguments
from tfsr.images.atomic import remove_abandoned, temporary_path
from tfsr.inference.saved_model_upscaler import METADATA
from tfsr.models import ImplicitSR, folded, with_precision
from tfsr.rendering.memory import memory_cost

# An image is encoded whole, and outputs are held three times while their patches are ordered.
ENCODING_MEMORY = 4 * 2**30
_MAX_OUTPUT_PIXELS = 100_000_000

# Pixels of the images that an export is checked with.
_CHECKED_INPUT_PIXELS = 2048
_CHECKED_OUTPUT_PIXELS = 16_384


@checked_arguments()
def saved_model(
    model: ImplicitSR,
    directory: str | os.PathLike[str],
    *,
    version: int = 1,
    warmup: bool = False,
    max_input_pixels: int | None = None,
    max_output_pixels: int = _MAX_OUTPUT_PIXELS,
    metadata: Mapping[str, Any] | None = None,
) -> ExportReport:
    """Write a SavedModel to DIRECTORY/VERSION that upscales images of any size to any size.

    Its signatures take tensors by name, and "size" is always (H, W):

    - serving_default: "image" (batch, h, w, 3) uint8 and "size" to "output", uint8;
    - upscale_float: the same in float32, in [0, 1];
    - upscale_bytes: "image_bytes", one JPEG or PNG file or a list of them, and "size" to
      "output_bytes", PNG files;
    - encode: "image" float32 to "latent", and render: "latent", "size" and "window" (top, left,
      height, width) to "output" float32: encode once, render any window of any size.

    Sizes, and files by their headers, are checked in the graph before any work is done. The
    SavedModel is then loaded in a process without tfsr and Keras, run on several images and sizes,
    and compared with the model. It appears whole or not at all.

    Args:
        model: the model. It is exported in float32, and folded.
        directory: of all versions; created if missing.
        version: at least 1. A server takes the highest.
        warmup: whether to add requests that TensorFlow Serving runs before it accepts others.
        max_input_pixels: the most pixels of all images of a request. Defaults to as many as this
            model encodes in 4 GiB.
        max_output_pixels: the same of an output. The default takes 3.6 GB in float32.
        metadata: plain data to travel in the export: origin, licence.

    Returns:
        The report, its agreement measured on the float images.

    Raises:
        InvalidArgument: for a version that is not a positive integer, or a limit below the 2,048
            pixels in and 16,384 out that an export is checked with.
        ExportError: if the version already exists, the model cannot be exported, the directory
            cannot be written, or the export does not agree with the model.

    Example:
        >>> model = tfsr.from_preset("faces-mobile")
        >>> tfsr.exporters.saved_model(model, "served").path  # doctest: +SKIP
        PosixPath('served/1')
    """
    output_pixels = _positive("max_output_pixels", max_output_pixels, _CHECKED_OUTPUT_PIXELS)
    if max_input_pixels is not None:
        _positive("max_input_pixels", max_input_pixels, _CHECKED_INPUT_PIXELS)
    directory = Path(directory)
    target = directory / str(_positive("version", version))
    _check(model, target)
    exact: Any = folded(with_precision(model, "float32"))
    input_pixels = max_input_pixels or ENCODING_MEMORY // memory_cost(exact).lr_pixel
    limits = ServingLimits(input_pixels, output_pixels)
    examples = make_examples(exact)
    try:
        with _new_directory(target) as folder:
            _save(exact, folder, limits)
            if warmup:
                requests = [request for request, _ in examples]
                write_requests(folder / WARMUP, directory.resolve().name, requests)
            largest, decibels = compare_saved_model(exact, folder, examples, target)
            description = {
                **(metadata or {}),
                **_description(exact, version, limits),
                "largest_difference": largest,
            }
            path = folder / METADATA
            path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"{target}: cannot be written: {_reason(error)}") from error
    return ExportReport(target, size, largest, decibels)


def _description(model: ImplicitSR, version: int, limits: ServingLimits) -> dict[str, Any]:
    return {
        "format": "saved_model",
        "version": version,
        "model": {part: model.get_config()[part] for part in ("encoder", "decoder")},
        "weights_sha256": _sha256(model),
        "ranges": {"uint8": [0, 255], "float32": [0, 1]},
        "max_input_pixels": limits.input_pixels,
        "max_output_pixels": limits.output_pixels,
        "bytes_per_input_pixel": memory_cost(model).lr_pixel,
    }


def _reason(error: Any) -> str:
    """The system's own words; TensorFlow puts the operation and the file before them."""
    message = getattr(error, "strerror", None) or re.sub(r" \[Op:\w+\].*", "", str(error))
    return " ".join(message.rpartition("; ")[2].split())[:200]


def _positive(name: str, value: Any, minimum: int = 1) -> int:
    try:
        number = index(value)
    except TypeError:
        number = 0
    if not minimum <= number < 2**63:
        raise InvalidArgument(f"must be an integer, at least {minimum}; received {value!r}", name)
    return number


def _check(model: Any, target: Path) -> None:
    if not isinstance(model, ImplicitSR):
        raise ExportError(f"a SavedModel takes an ImplicitSR; received a {type(model).__name__}")
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"a SavedModel needs Keras on TensorFlow, not on {keras.backend.backend()}: "
            "set KERAS_BACKEND=tensorflow"
        )
    if os.path.lexists(target):
        raise ExportError(f"{target}: already exists; give another version, or remove it first")


@contextmanager
def _new_directory(target: Path) -> Iterator[Path]:
    """A directory that is renamed to `target` at the end, and removed on failure.

    Raises:
        OSError: if it cannot be made or renamed.
    """
    made = [path for path in (target.parent, *target.parent.parents) if not os.path.exists(path)]
    remove_abandoned(target.parent)
    try:
        # Its name is no number: a server that watches the versions does not look at it.
        with temporary_path(target.parent, lambda path: path.mkdir(parents=True)) as path:
            yield path
            os.rename(path, target)
    except BaseException:
        for path in made:
            # Another export may have moved in meanwhile.
            if os.path.isdir(path) and not any(path.iterdir()):
                path.rmdir()
        raise


def _save(model: ImplicitSR, directory: Path, limits: ServingLimits) -> None:
    module = tf.Module()
    # The model itself would bring its layers' own functions along.
    module.weights_of_model = [variable.value for variable in model.weights]
    functions = Endpoints(model, limits).functions()
    tf.saved_model.save(module, os.fspath(directory), signatures=functions)
    (directory / METADATA).parent.mkdir()


def _sha256(model: ImplicitSR) -> str:
    """Checksum of all weights, in their order, whatever file they came from."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return digest.hexdigest()
