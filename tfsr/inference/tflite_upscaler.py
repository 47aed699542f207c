"""An exported TFLite file as an `Upscaler`, and its metadata."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError
from tfsr.inference.exported_file import read_exported
from tfsr.inference.upscaler import Patch, Size, Upscaler, converted

METADATA = "tfsr.json"
"""Name of the description inside a file, which is a ZIP archive as well as a flatbuffer."""

# A description has a few KiB.
_MAX_METADATA_BYTES = 2**20
_MAX_PIXELS = 100_000_000
_DTYPES = {"uint8": np.uint8, "float32": np.float32}


class TFLiteUpscaler(Upscaler):
    """Upscale by an exported TFLite file, whose image size and output sizes are fixed.

    A TFLite file is a program: load none that you do not trust. Its checksum finds damage alone.

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
        content = read_exported(self.path)
        self.metadata = metadata_of(content, self.path)
        self.rounds = self.metadata["io"] == "uint8"
        self._runners = runners(content, threads or os.cpu_count() or 1, self.path)
        self._check_runners()

    def _check_runners(self) -> None:
        """Check that the model takes and returns what its description says."""
        dtype = _DTYPES[self.metadata["io"]]
        expected = {
            signature_name((height, width)): (1, height, width, 3)
            for height, width in self.metadata["sizes"]
        }
        lr_shape = (1, *self.metadata["lr_size"], 3)
        for name, runner in self._runners.items():
            inputs, outputs = (
                {key: (tuple(map(int, value["shape"])), value["dtype"]) for key, value in x.items()}
                for x in (runner.get_input_details(), runner.get_output_details())
            )
            if inputs != {"image": (lr_shape, dtype)} or [*outputs.values()] != [
                (expected.pop(name, None), dtype)
            ]:
                raise ExportError(f"{self.path}: its signature {name!r} is not as {METADATA} says")
        if expected:
            raise ExportError(f"{self.path}: has no signature {next(iter(expected))!r}")

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
    return metadata_of(read_exported(Path(path)), Path(path))


def metadata_of(content: bytes, path: Path) -> dict[str, Any]:
    """As `metadata_of_file`, of a file's content."""
    start = max(0, len(content) - 2 * _MAX_METADATA_BYTES)
    try:
        # The archive alone: it lies at the end, whatever the rest may look like.
        with zipfile.ZipFile(io.BytesIO(content[start:])) as archive:
            entry = archive.getinfo(METADATA)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{METADATA} is compressed in another way")
            with archive.open(entry) as file:
                # Its directory may state a smaller size than it has.
                text = file.read(_MAX_METADATA_BYTES + 1)
            if max(len(text), entry.file_size) > _MAX_METADATA_BYTES:
                raise ValueError(f"{METADATA} is too large")
            found = json.loads(text)
    except KeyError as error:
        raise ExportError(f"{path}: holds no {METADATA}: it was not exported by tfsr") from error
    # Damaged bytes make zipfile raise BadZipFile by design, and EOFError, zlib.error,
    # NotImplementedError and others by accident.
    except Exception as error:
        raise ExportError(
            f"{path}: holds no {METADATA} that can be read: it is damaged, or was not exported by "
            "tfsr"
        ) from error
    if not _is_description(found):
        raise ExportError(f"{path}: its {METADATA} is damaged, or of another tfsr")
    model = memoryview(content)[: start + entry.header_offset]
    if hashlib.sha256(model).hexdigest() != found["model_sha256"]:
        raise ExportError(f"{path}: is damaged: its model is not the one that was exported")
    return found


def _is_description(found: Any) -> bool:
    """Whether the parts that are used here are of the right types."""
    if not isinstance(found, dict):
        return False
    sizes = found.get("sizes")
    return (
        isinstance(sizes, list)
        and all(map(_is_size, [found.get("lr_size"), *sizes]))
        and found.get("io") in [*_DTYPES]
        and isinstance(found.get("model_sha256"), str)
    )


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and side > 0 for side in value)
        and value[0] * value[1] <= _MAX_PIXELS
    )
