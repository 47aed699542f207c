"""An exported SavedModel as an `Upscaler`, and its metadata."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError, InvalidArgument
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted
from tfsr.regular_files import read_regular

METADATA = "assets.extra/tfsr_metadata.json"
"""The description inside a version's directory."""

_SIGNATURES = {"uint8": "serving_default", "float32": "upscale_float"}
# Weights and graph, as TensorFlow's own limit on a message; and a description of a few KiB.
_MAX_BYTES, _MAX_METADATA_BYTES = 2**31, 2**20


class SavedModelUpscaler(Upscaler):
    """Upscale by an exported SavedModel, to any size.

    The image is encoded whole; the output is rendered in bands. A SavedModel is a program: load
    none that you do not trust.

    Args:
        directory: a version's directory, or the one of all versions: the highest is taken.

    Example:
        >>> tfsr.inference.SavedModelUpscaler("faces")
        Traceback (most recent call last):
        tfsr.errors.ExportError: faces: ...
    """

    kind = "SavedModel"

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        import tensorflow as tf

        self.path = version_directory(directory)
        self.metadata = metadata_of(self.path)
        _check_files(self.path)
        try:
            signatures = tf.saved_model.load(os.fspath(self.path)).signatures
            self._of_type = {dtype: signatures[name] for dtype, name in _SIGNATURES.items()}
            for dtype, signature in self._of_type.items():
                _check_signature(signature, dtype)
        # A damaged file makes TensorFlow raise whatever it meets.
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise ExportError(f"{self.path}: cannot be loaded: {reason}") from error

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`, within the exported limits; floats are clipped to [0, 1]."""
        import tensorflow as tf

        if image.dtype != np.float32:
            image = converted(image, np.uint8)
        # Larger numbers do not fit into the signature's 32 bits, and are refused with these.
        wanted = np.minimum(size, 2**31 - 1).astype(np.int32)
        upscale = self._of_type[image.dtype.name]
        try:
            (output,) = upscale(image=tf.constant(image[None]), size=tf.constant(wanted)).values()
        except tf.errors.InvalidArgumentError as error:
            raise InvalidArgument(f"{self.path}: {refusal(str(error))}") from error
        if output.shape.rank != 4 or output.dtype != image.dtype:
            raise ExportError(f"{self.path}: returned {output.dtype.name} of shape {output.shape}")
        yield slice(None), slice(None), output[0].numpy()


def _check_files(directory: Path) -> None:
    """Check that TensorFlow waits for none of a SavedModel's files, and none has no end."""
    size = 0
    for path in directory.rglob("*"):
        status = path.stat()
        size += status.st_size
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise ExportError(f"{path}: is not a regular file")
    if size > _MAX_BYTES:
        raise ExportError(f"{directory}: has {size} bytes; at most {_MAX_BYTES} are loaded")


def _check_signature(signature: Any, dtype: str) -> None:
    inputs = {
        name: spec.dtype.name for name, spec in signature.structured_input_signature[1].items()
    }
    outputs = [spec.dtype.name for spec in signature.structured_outputs.values()]
    if inputs != {"image": dtype, "size": "int32"} or outputs != [dtype]:
        raise ExportError(f"its signature takes {inputs} and returns {outputs}")


def version_directory(directory: str | os.PathLike[str]) -> Path:
    """The directory of a SavedModel: this one, or the highest version in it."""
    directory = Path(directory)
    if os.path.isfile(directory / "saved_model.pb"):
        return directory
    versions = [
        path.parent for path in directory.glob("*/saved_model.pb") if path.parent.name.isdecimal()
    ]
    if not versions:
        raise ExportError(f"{directory}: holds no SavedModel, nor versions of one: 1, 2 and so on")
    return max(versions, key=lambda path: int(path.name))


def metadata_of(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """The exporter's description of a version's directory."""
    path = Path(directory) / METADATA
    try:
        found = json.loads(read_regular(path, _MAX_METADATA_BYTES))
    except FileNotFoundError as error:
        raise ExportError(
            f"{directory}: holds no {METADATA}: it was not exported by tfsr"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise ExportError(f"{path}: cannot be read as JSON: {reason}") from error
    if not isinstance(found, dict) or found.get("format") != "saved_model":
        raise ExportError(f"{path}: is damaged")
    return found


def refusal(message: str) -> str:
    """The message of a model's own check, out of TensorFlow's text around it."""
    found = re.search(r"assertion failed: \[(.*?)\] \[(.*)\]", message)
    return f"{found[1]} {found[2]}" if found else " ".join(message.split())[:200]
