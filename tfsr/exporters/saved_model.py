"""SavedModels: any image size, any output size, for TensorFlow Serving and all who read them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters import isolated
from tfsr.exporters.endpoints import Endpoints, Limits
from tfsr.exporters.report import Report, agreement
from tfsr.exporters.warmup import WARMUP, Request, write_requests
from tfsr.images import resize, to_float, to_uint8
from tfsr.images.atomic import remove_abandoned, temporary_path
from tfsr.inference.saved_model import METADATA
from tfsr.models import ImplicitSR, folded, with_precision
from tfsr.models.implicit_renderer import ImplicitRenderer

# What an export must reach against the Keras model, or it is not kept.
_LARGEST_DIFFERENCE = 1e-5

# An image is encoded whole, and answers are held three times while their pieces are put in order.
_ENCODING_MEMORY = 4 * 2**30
_MAX_OUTPUT_PIXELS = 100_000_000

# What the images need that an export is checked with.
_CHECKED_INPUT_PIXELS = 2048
_CHECKED_OUTPUT_PIXELS = 16_384

# Size and window in which latents are compared.
_WINDOW = (300, 401), (97, 203, 64, 50)


def saved_model(
    model: ImplicitSR,
    directory: str | os.PathLike[str],
    *,
    version: int = 1,
    warmup: bool = False,
    max_input_pixels: int | None = None,
    max_output_pixels: int = _MAX_OUTPUT_PIXELS,
    metadata: Mapping[str, Any] | None = None,
) -> Report:
    """Write a SavedModel, in DIRECTORY/VERSION, that draws images of any size in any size.

    Its signatures take tensors by name, and "size" is always (H, W):

    - serving_default: "image" (batch, h, w, 3) uint8 and "size" to "image", uint8;
    - upscale_float: the same in float32, in [0, 1];
    - upscale_bytes: "image_bytes", one JPEG or PNG file or a list of them, and "size" to
      "image_bytes", PNG files;
    - encode: "image" float32 to "latent", and render: "latent", "size" and "window" (top, left,
      height, width) to "image" float32: encode once, draw any window of any size.

    Sizes, and files by their headers, are checked in the graph before any work is done. The whole
    image is encoded at once; answers are drawn in bands of rows.

    What was written is loaded in a isolated process, without tfsr and Keras, run on several images
    and sizes, and compared with the model. It appears whole or not at all.

    Args:
        model: the model. It is exported in float32, and folded.
        directory: of all versions; made if it is not there.
        version: int, at least 1. A server takes the highest. Defaults to 1.
        warmup: bool. Whether requests are added that TensorFlow Serving answers before it takes any
            other. Defaults to False.
        max_input_pixels: int, optional. The most pixels of all images of a request. Defaults to
            as many as this model encodes in 4 GiB.
        max_output_pixels: int. The same of an output. Defaults to 100 million, which take 3.6 GB
            in float32.
        metadata: plain data to travel in the export: origin, licence.

    Returns:
        The report, its agreement measured on the float images.

    Raises:
        InvalidArgument: if the version is not a positive whole number, or a limit less than the
            2,048 pixels in and 16,384 out that an export is checked with.
        ExportError: if the version is there already, the model cannot be exported, the directory
            cannot be written, or the export does not agree with the model.
    """
    output_pixels = _positive("max_output_pixels", max_output_pixels, _CHECKED_OUTPUT_PIXELS)
    if max_input_pixels is not None:
        _positive("max_input_pixels", max_input_pixels, _CHECKED_INPUT_PIXELS)
    directory = Path(directory)
    target = directory / str(_positive("version", version))
    _check(model, target)
    exact: Any = folded(with_precision(model, "float32"))
    bytes_per_lr_pixel = ImplicitRenderer(exact, _ENCODING_MEMORY).bytes_per_lr_pixel
    limits = Limits(max_input_pixels or _ENCODING_MEMORY // bytes_per_lr_pixel, output_pixels)
    examples = _examples(exact)
    try:
        with _appearing(target) as temporary:
            _write(exact, temporary, limits)
            if warmup:
                requests = [request for request, _ in examples]
                write_requests(temporary / WARMUP, directory.resolve().name, requests)
            largest, decibels = _compare(exact, temporary, examples, target)
            description = {
                **(metadata or {}),
                "format": "saved_model",
                "version": version,
                "model": {part: exact.get_config()[part] for part in ("encoder", "decoder")},
                "weights_sha256": _sha256(exact),
                "ranges": {"uint8": [0, 255], "float32": [0, 1]},
                "max_input_pixels": limits.input_pixels,
                "max_output_pixels": limits.output_pixels,
                "bytes_per_input_pixel": bytes_per_lr_pixel,
                "largest_difference": largest,
            }
            path = temporary / METADATA
            path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
            size = sum(file.stat().st_size for file in temporary.rglob("*") if file.is_file())
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"{target}: cannot be written: {_reason(error)}") from error
    return Report(target, size, largest, decibels)


def _reason(error: Any) -> str:
    """The system's own words; TensorFlow puts the operation and the file before them."""
    message = getattr(error, "strerror", None) or re.sub(r" \[Op:\w+\].*", "", str(error))
    return " ".join(message.rpartition("; ")[2].split())[:200]


def _positive(name: str, value: Any, least: int = 1) -> int:
    try:
        number = index(value)
    except TypeError:
        number = 0
    if not least <= number < 2**63:
        raise InvalidArgument(f"{name} must be a whole number, at least {least}; got {value!r}")
    return number


def _check(model: Any, target: Path) -> None:
    if not isinstance(model, ImplicitSR):
        raise ExportError(f"a SavedModel takes an ImplicitSR; got a {type(model).__name__}")
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"a SavedModel needs Keras on TensorFlow, not on {keras.backend.backend()}: "
            "set KERAS_BACKEND=tensorflow"
        )
    if os.path.lexists(target):
        raise ExportError(f"{target}: is there already; give another version, or remove it first")


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A directory to write to, that becomes `target` at the end, and nothing if that fails.

    Raises:
        OSError: if it cannot be made or renamed.
    """
    made = [path for path in (target.parent, *target.parent.parents) if not os.path.exists(path)]
    remove_abandoned(target.parent)
    try:
        # Of a name that is no number: a server that watches the versions does not look at it.
        with temporary_path(target.parent, lambda path: path.mkdir(parents=True)) as path:
            yield path
            os.rename(path, target)
    except BaseException:
        for path in made:
            # Another export may have moved in meanwhile.
            if os.path.isdir(path) and not any(path.iterdir()):
                path.rmdir()
        raise


def _write(model: ImplicitSR, directory: Path, limits: Limits) -> None:
    module = tf.Module()
    # The model itself would bring its layers' own functions along.
    module.weights_of_model = [variable.value for variable in model.weights]
    functions = Endpoints(model, limits).functions()
    tf.saved_model.save(module, os.fspath(directory), signatures=functions)
    (directory / METADATA).parent.mkdir()


def _examples(model: ImplicitSR) -> list[tuple[Request, np.ndarray]]:
    """Requests of every signature, and the image that the model draws for each: x2, x3.7, x1."""
    output = []
    for seed, (signature, lr_size, size) in enumerate(
        [
            ("serving_default", (40, 48), (80, 96)),
            ("upscale_float", (40, 48), (80, 96)),
            ("upscale_float", (31, 24), (115, 89)),
            ("upscale_float", (23, 37), (37, 23)),
            ("upscale_bytes", (21, 33), (63, 66)),
        ]
    ):
        image = _image(lr_size, seed)
        batch = to_float(image)[None]
        images: dict[str, dict[str, Any]] = {
            "serving_default": {"image": image[None]},
            "upscale_float": {"image": batch},
            "upscale_bytes": {"image_bytes": _png(image)},
        }
        request = Request(signature, {**images[signature], "size": _int32(size)})
        output.append((request, _drawn(model, _encoded(model, batch), size)))

    two = np.stack([to_float(_image((19, 26), seed)) for seed in (8, 9)])
    latent = _encoded(model, two)
    drawn = _drawn(model, latent, *_WINDOW)
    inputs = {"latent": latent, "size": _int32(_WINDOW[0]), "window": _int32(_WINDOW[1])}
    render = Request("render", inputs)
    return [*output, (Request("encode", {"image": two}), drawn), (render, drawn)]


def _int32(values) -> np.ndarray:
    return np.array(values, np.int32)


def _image(size: tuple[int, int], seed: int) -> np.ndarray:
    """A smooth image of many colours, (h, w, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return resize(coarse, size)


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


# The comparison is made on the processor, where both sides round alike.


def _encoded(model: ImplicitSR, batch: np.ndarray) -> np.ndarray:
    with tf.device("CPU:0"):
        return model.encode(tf.constant(batch)).numpy()


def _drawn(model: ImplicitSR, latent: np.ndarray, size, window=None) -> np.ndarray:
    with tf.device("CPU:0"):
        plan = model.plan(latent.shape[1:3], size, window)
        return np.clip(model.render(tf.constant(latent), plan).numpy(), 0, 1)


def _compare(
    model: ImplicitSR, directory: Path, examples: list[tuple[Request, np.ndarray]], target: Path
) -> tuple[float, float]:
    """Largest difference, and agreement in dB, of what a isolated process answers.

    Raises:
        ExportError: if it answers nothing, or something else than the model.
    """
    outputs = _run_afresh(directory, [request for request, _ in examples], target)
    found, expected = [], []
    for (request, image), (name, output) in zip(examples, outputs, strict=True):
        if name == "output_bytes":
            output = np.array(Image.open(io.BytesIO(output.tobytes())))[None]
        if output.dtype == np.uint8:
            levels = np.abs(output[0].astype(int) - to_uint8(image[0])).max()
            if levels > 1:
                raise ExportError(
                    f"{target}: not kept: {request.signature} differs from the model by {levels} "
                    "levels of 255"
                )
            continue
        if name == "latent":
            # Seen through what the model draws of it: features have no range of their own.
            output = _drawn(model, output, *_WINDOW)
        found.append(output)
        expected.append(image)
    largest, decibels = agreement(found, expected)
    if not largest <= _LARGEST_DIFFERENCE:
        raise ExportError(
            f"{target}: not kept: differs from the model by {largest:.2g}, "
            f"more than {_LARGEST_DIFFERENCE}"
        )
    return largest, decibels


def _run_afresh(
    directory: Path, requests: list[Request], target: Path
) -> list[tuple[str, np.ndarray]]:
    """The name and value of each output of a process that has TensorFlow and NumPy alone.

    Raises:
        ExportError: if it fails.
    """
    arrays: dict[str, Any] = {
        f"{number}/{request.signature}/{name}": (
            np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
        )
        for number, request in enumerate(requests)
        for name, value in request.inputs.items()
    }
    with tempfile.TemporaryDirectory(prefix="tfsr-") as folder:
        asked, answered = Path(folder, "requests.npz"), Path(folder, "answers.npz")
        np.savez(asked, **arrays)
        # Isolated: no PYTHONPATH, no current directory.
        run = subprocess.run(
            [sys.executable, "-I", isolated.__file__, directory, asked, answered],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(
                f"{target}: not kept: a isolated process could not run it (exit code "
                f"{run.returncode}): {last}"
            )
        with np.load(answered) as file:
            names = {int(key.split("/")[0]): key for key in file}
            return [(names[i].split("/")[1], file[names[i]]) for i in range(len(requests))]


def _sha256(model: ImplicitSR) -> str:
    """Of all weights, in their order: which model this is, whatever file it came from."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return digest.hexdigest()
