"""An exported SavedModel as an `Upscaler`, and its metadata."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError, InvalidArgument
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted

METADATA = "assets.extra/tfsr_metadata.json"
"""The description inside a version's directory."""


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
        try:
            signatures = tf.saved_model.load(os.fspath(self.path)).signatures
            self._of_type = {
                "uint8": signatures["serving_default"],
                "float32": signatures["upscale_float"],
            }
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
        yield slice(None), slice(None), output[0].numpy()


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
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExportError(
            f"{directory}: holds no {METADATA}: it was not exported by tfsr"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"{path}: cannot be read as JSON") from error
    if not isinstance(found, dict) or found.get("format") != "saved_model":
        raise ExportError(f"{path}: is damaged")
    return found


def refusal(message: str) -> str:
    """The message of a model's own check, out of TensorFlow's text around it."""
    found = re.search(r"assertion failed: \[(.*?)\] \[(.*)\]", message)
    return f"{found[1]} {found[2]}" if found else " ".join(message.split())[:200]
