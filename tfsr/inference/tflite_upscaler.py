"""An exported TFLite file as an `Upscaler`, and its metadata."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted

METADATA = "tfsr.json"
"""Name of the description inside a file, which is a ZIP archive as well as a flatbuffer."""

# What a flatbuffer's offsets reach; and a description has a few KiB.
_MAX_FILE_BYTES, _MAX_METADATA_BYTES = 2**31, 2**20


class TFLiteUpscaler(Upscaler):
    """Upscale by an exported TFLite file, whose image size and output sizes are fixed.

    Args:
        path: the file.
        threads: int. CPU threads. Defaults to all.

    Example:
        >>> tfsr.inference.TFLiteUpscaler("photo.jpg")
        Traceback (most recent call last):
        tfsr.errors.ExportError: photo.jpg: ...
    """

    kind = "TFLite file"

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None) -> None:
        self.path = Path(path)
        content = _content(self.path)
        self.metadata = metadata_of(content, self.path)
        self.rounds = self.metadata["io"] == "uint8"
        self._runners = runners(content, threads or os.cpu_count() or 1, self.path)

    def unsupported_reason(self, lr_size: Size, size: Size) -> str | None:
        """As `Upscaler.unsupported_reason`: the file has its own sizes."""
        height, width = self.metadata["lr_size"]
        if tuple(lr_size) == (height, width) and signature_name(size) in self._runners:
            if all(np.less_equal(size, lr_size)) or not any(np.less(size, lr_size)):
                return None
            return f"does not reduce one side of {width}x{height}; export it with larger sizes"
        return (
            f"takes {width}x{height} and returns {', '.join(self._runners)}; "
            f"received {lr_size[1]}x{lr_size[0]} and {size[1]}x{size[0]}"
        )

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`."""
        batch = converted(image, np.uint8 if self.rounds else np.float32)[None]
        (output,) = self._runners[signature_name(size)](image=batch).values()
        yield slice(None), slice(None), output[0]


def signature_name(size: tuple[int, int]) -> str:
    """The name of a file's signature for an output of (H, W): "WxH"."""
    return f"{size[1]}x{size[0]}"


def runners(content: bytes, threads: int, path: Path) -> dict[str, Any]:
    """A function for each signature, from image= to a dictionary of one output."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=threads)
        names = interpreter.get_signature_list()
        return {name: interpreter.get_signature_runner(name) for name in names}
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ExportError(f"{path}: is not a TFLite model that runs here: {reason}") from error


def with_metadata(content: bytes, description: Mapping[str, Any]) -> bytes:
    """Append a description to a model as a ZIP archive; readers of either kind ignore the other.

    It gets the model's sha256: LiteRT trusts a flatbuffer, and a damaged one may end the process.
    """
    signed = {**description, "model_sha256": hashlib.sha256(content).hexdigest()}
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same export gives the same bytes.
        archive.writestr(zipfile.ZipInfo(METADATA), json.dumps(signed, indent=2))
    return file.getvalue()


def metadata_of_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The exporter's description of a file, once it is clear that the file is undamaged."""
    return metadata_of(_content(Path(path)), Path(path))


def _content(path: Path) -> bytes:
    try:
        status = os.stat(path)
        # Checked before opening: to open a named pipe would wait for its writer for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ExportError(f"{path}: is not a regular file; give a .tflite file")
        if status.st_size > _MAX_FILE_BYTES:
            raise ExportError(f"{path}: is not a TFLite model: none has more than 2 GiB")
        return path.read_bytes()
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror or error}") from error


def metadata_of(content: bytes, path: Path) -> dict[str, Any]:
    """As `metadata_of_file`, of a file's content."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entry = archive.getinfo(METADATA)
            if entry.file_size > _MAX_METADATA_BYTES:
                raise ValueError(f"{METADATA} is too large")
            found = json.loads(archive.read(entry))
    except KeyError as error:
        raise ExportError(f"{path}: holds no {METADATA}: it was not exported by tfsr") from error
    # Damaged bytes make zipfile raise BadZipFile by design, and EOFError, zlib.error,
    # NotImplementedError and others by accident.
    except Exception as error:
        raise ExportError(
            f"{path}: holds no {METADATA} that can be read: it is damaged, or was not exported by "
            "tfsr"
        ) from error
    if not isinstance(found, dict) or not {"lr_size", "sizes", "io", "model_sha256"} <= set(found):
        raise ExportError(f"{path}: its {METADATA} is damaged, or of another tfsr")
    model = memoryview(content)[: entry.header_offset]
    if hashlib.sha256(model).hexdigest() != found["model_sha256"]:
        raise ExportError(f"{path}: is damaged: its model is not the one that was exported")
    return found
