"""An exported ONNX file as an `Upscaler`, and its metadata."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError
from tfsr.geometry import output_size
from tfsr.inference.exported_file import read_exported
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted

METADATA = "tfsr.json"
"""Key of the description in a file's metadata properties."""


class ONNXUpscaler(Upscaler):
    """Upscale by an exported ONNX file, of a fixed size, of one scale, or of any size.

    An image is encoded whole, up to the pixels that its description allows. An ONNX file is a
    program: load none that you do not trust. Its checksum finds damage alone.

    Args:
        path: the file.
        threads: int. CPU threads. Defaults to all.

    Example:
        >>> tfsr.inference.ONNXUpscaler("photo.jpg")
        Traceback (most recent call last):
        tfsr.errors.ExportError: photo.jpg: ...
    """

    kind = "ONNX file"
    bit_depth = 16

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None) -> None:
        self.path = Path(path)
        content = read_exported(self.path)
        self.metadata = metadata_of(content, self.path)
        self._session = session(content, threads or 0, self.path)
        inputs = [put.name for put in self._session.get_inputs()]
        self._takes_size = self.metadata["size"] is self.metadata["scale"] is None
        if inputs != ["image", "size"][: 1 + self._takes_size]:
            raise ExportError(f"{self.path}: its inputs {inputs} are not as {METADATA} says")

    def unsupported_reason(self, lr_size: Size, size: Size) -> str | None:
        """As `Upscaler.unsupported_reason`."""
        described, scale = self.metadata, self.metadata["scale"]
        # What is smaller than the image is reduced before.
        encoded = tuple(map(min, lr_size, size))
        received = f"received {lr_size[1]}x{lr_size[0]} and {size[1]}x{size[0]}"
        if described["size"] is not None:
            sizes = [tuple(described[key]) for key in ("lr_size", "size")]
            if [encoded, tuple(size)] != sizes:
                (h, w), (height, width) = sizes
                return f"takes {w}x{h} and returns {width}x{height}; {received}"
        elif scale is not None and tuple(size) != output_size(encoded, scale):
            return f"upscales by {scale:g} only; {received}"
        most = described["max_input_pixels"]
        if encoded[0] * encoded[1] > most:
            return f"encodes at most {most} pixels; {received}"
        return None

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`; clipped to [0, 1]."""
        feed = {"image": converted(image, np.float32)[None]}
        if self._takes_size:
            feed["size"] = np.array(size, np.int32)
        try:
            (output,) = self._session.run(["output"], feed)
        except Exception as error:  # Each failure has a class of its own.
            raise ExportError(f"{self.path}: does not run: {_reason(error)}") from error
        yield slice(None), slice(None), output[0]


def session(content: bytes, threads: int, path: Path) -> Any:
    """A session of onnxruntime on the CPU, which is quiet; 0 threads: all."""
    runtime = _imported("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ExportError(f"{path}: does not run here: {_reason(error)}") from error


def with_metadata(model: Any, description: Mapping[str, Any]) -> bytes:
    """The bytes of a model whose properties describe it, with a checksum of its graph."""
    signed = {**description, "graph_sha256": _checksum(model)}
    (entry := model.metadata_props.add()).key = METADATA
    entry.value = json.dumps(signed, indent=2)
    return model.SerializeToString(deterministic=True)


def metadata_of_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The exporter's description of a file, once it is clear that the file is undamaged."""
    return metadata_of(read_exported(Path(path)), Path(path))


def metadata_of(content: bytes, path: Path) -> dict[str, Any]:
    """As `metadata_of_file`, of a file's content."""
    onnx = _imported("onnx")
    try:
        model = onnx.load_model_from_string(content)
        properties = {entry.key: entry.value for entry in model.metadata_props}
        found = json.loads(properties.get(METADATA, "null"))
    except Exception as error:
        raise ExportError(f"{path}: is damaged, or not an ONNX file") from error
    if found is None:
        raise ExportError(f"{path}: holds no {METADATA}: it was not exported by tfsr")
    if not _is_description(found) or found["graph_sha256"] != _checksum(model):
        raise ExportError(f"{path}: is damaged: its model is not the one that was exported")
    return found


def _checksum(model: Any) -> str:
    return hashlib.sha256(model.graph.SerializeToString(deterministic=True)).hexdigest()


def _is_description(found: Any) -> bool:
    """Whether the parts that are used here are of the right types."""
    keys = {"lr_size", "size", "scale", "max_input_pixels", "graph_sha256"}
    if not isinstance(found, dict) or not keys <= set(found):
        return False
    sizes = [found[key] for key in ("lr_size", "size")]
    fixed = [isinstance(size, list) and [*map(type, size)] == [int, int] for size in sizes]
    scale, most = found["scale"], found["max_input_pixels"]
    return (
        (all(fixed) or sizes == [None, None])
        and (scale is None or (type(scale) in (int, float) and 1 <= scale < 1e9))
        and type(most) is int
    )


def _imported(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExportError(f"ONNX files need {name}: pip install 'tfsr[onnx]'") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
