"""The comparison of a SavedModel with its model, in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from tfsr.errors import ExportError
from tfsr.exporters import isolated
from tfsr.exporters.export_report import compare_arrays
from tfsr.exporters.warmup import ServingRequest
from tfsr.images import resize, to_float, to_uint8
from tfsr.models import ImplicitSR

# The largest difference from the Keras model with which an export is kept.
_LARGEST_DIFFERENCE = 1e-5

# Size and window in which latents are compared.
_WINDOW = (300, 401), (97, 203, 64, 50)

Example = tuple[ServingRequest, np.ndarray]
"""A request, and the image that the model renders for it."""

# The comparison is made on the processor, where both sides round alike.


def make_examples(model: ImplicitSR) -> list[Example]:
    """Make requests of every signature, at x2, x3.7 and x1."""
    examples = []
    for seed, (signature, lr_size, size) in enumerate(
        [
            ("serving_default", (40, 48), (80, 96)),
            ("upscale_float", (40, 48), (80, 96)),
            ("upscale_float", (31, 24), (115, 89)),
            ("upscale_float", (23, 37), (37, 41)),
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
        request = ServingRequest(signature, {**images[signature], "size": np.array(size, np.int32)})
        examples.append((request, _rendered(model, _encoded(model, batch), size)))

    two = np.stack([to_float(_image((19, 26), seed)) for seed in (8, 9)])
    latent = _encoded(model, two)
    rendered = _rendered(model, latent, *_WINDOW)
    inputs = {
        "latent": latent,
        "size": np.array(_WINDOW[0], np.int32),
        "window": np.array(_WINDOW[1], np.int32),
    }
    encode = ServingRequest("encode", {"image": two})
    return [*examples, (encode, rendered), (ServingRequest("render", inputs), rendered)]


def compare_saved_model(
    model: ImplicitSR, directory: Path, examples: list[Example], target: Path
) -> tuple[float, float]:
    """Run a SavedModel on the examples: the largest difference, and agreement in dB.

    Args:
        model: the model.
        directory: of the SavedModel.
        examples: from `make_examples`.
        target: the directory's later name, for messages.

    Raises:
        ExportError: if it does not run, or differs from the model.
    """
    outputs = _run_isolated(directory, [request for request, _ in examples], target)
    found, expected = [], []
    for (request, image), (name, output) in zip(examples, outputs, strict=True):
        if name == "output_bytes":
            output = np.array(Image.open(io.BytesIO(output.tobytes())))[None]
        if output.dtype == np.uint8:
            levels = np.abs(output[0].astype(int) - to_uint8(image[0])).max()
            if levels > 1:
                raise ExportError(
                    f"{target}: not written: {request.signature} differs from the model by "
                    f"{levels} levels of 255"
                )
            continue
        if name == "latent":
            # Compared by what the model renders of it: features have no range of their own.
            output = _rendered(model, output, *_WINDOW)
        found.append(output)
        expected.append(image)
    largest, decibels = compare_arrays(found, expected)
    if not largest <= _LARGEST_DIFFERENCE:
        raise ExportError(
            f"{target}: not written: differs from the model by {largest:.2g}, "
            f"more than {_LARGEST_DIFFERENCE}"
        )
    return largest, decibels


def _run_isolated(
    directory: Path, requests: list[ServingRequest], target: Path
) -> list[tuple[str, np.ndarray]]:
    """The name and value of each output, from a process that has TensorFlow and NumPy alone.

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
        inputs, outputs = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(inputs, **arrays)
        # -I: no PYTHONPATH, no current directory.
        run = subprocess.run(
            [sys.executable, "-I", isolated.__file__, directory, inputs, outputs],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(
                f"{target}: not written: an isolated process could not run it (exit code "
                f"{run.returncode}): {last}"
            )
        with np.load(outputs) as file:
            names = {int(key.split("/")[0]): key for key in file}
            return [(names[i].split("/")[1], file[names[i]]) for i in range(len(requests))]


def _image(size: tuple[int, int], seed: int) -> np.ndarray:
    """A smooth image of many colours, (h, w, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return resize(coarse, size)


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _encoded(model: ImplicitSR, batch: np.ndarray) -> np.ndarray:
    with tf.device("CPU:0"):
        return model.encode(tf.constant(batch)).numpy()


def _rendered(model: ImplicitSR, latent: np.ndarray, size, window=None) -> np.ndarray:
    with tf.device("CPU:0"):
        plan = model.plan(latent.shape[1:3], size, window)
        return np.clip(model.render(tf.constant(latent), plan).numpy(), 0, 1)
